//! Compressed files as streams of what they hold: gzip (RFC 1952) and Zstandard (RFC 8878), of any number of members
//! or frames. An archive that is damaged or ends too early gives what can be read, and then an error that says so.

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;

/// How much of an archive is read at once.
const READ_BYTES: usize = 64 << 10;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// How a file is compressed, as its first bytes tell.
///
/// # Errors
/// What the system says.
pub fn codec_of(file: &File) -> io::Result<Option<Codec>> {
    let mut first = [0; 4];
    let n = file.read_at(&mut first, 0)?;
    if n >= 3 && first[..3] == [0x1f, 0x8b, 8] {
        return Ok(Some(Codec::Gzip));
    }
    let magic = u32::from_le_bytes(first);
    // A frame, or one that is skipped: some writers begin with that.
    let is_zstd = n == 4 && (magic == 0xfd2f_b528 || magic & 0xffff_fff0 == 0x184d_2a50);
    Ok(is_zstd.then_some(Codec::Zstd))
}

/// What a compressed file holds, from where the file stands.
pub fn decoder(codec: Codec, file: File) -> Box<dyn Read + Send> {
    let source = BufReader::with_capacity(READ_BYTES, file);
    match codec {
        Codec::Gzip => Box::new(Members(MultiGzDecoder::new(source))),
        Codec::Zstd => Box::new(Frames { source, frame: FrameDecoder::new(), within: false }),
    }
}

struct Members(MultiGzDecoder<BufReader<File>>);

impl Read for Members {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => too_early(),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => damaged(&error.to_string()),
            _ => error,
        })
    }
}

struct Frames {
    source: BufReader<File>,
    frame: FrameDecoder,
    /// Whether a frame has begun and not ended.
    within: bool,
}

impl Frames {
    /// What went wrong: an archive that is all read ends too early.
    fn error(&mut self, error: &FrameDecoderError) -> io::Error {
        match self.source.fill_buf() {
            Ok([]) => too_early(),
            Ok(_) => damaged(&error.to_string()),
            Err(error) => error,
        }
    }

    /// Begins the next frame; false at the end.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.frame.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    if io::copy(&mut self.source.by_ref().take(length), &mut io::sink())? < length {
                        return Err(too_early());
                    }
                }
                Err(error) => return Err(self.error(&error)),
            }
        }
        Ok(false)
    }
}

impl Read for Frames {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.within {
                self.within = self.begin()?;
                if !self.within {
                    return Ok(0);
                }
            }
            while self.frame.can_collect() == 0 && !self.frame.is_finished() {
                let step = self.frame.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1));
                step.map_err(|error| self.error(&error))?;
            }
            let n = self.frame.read(buf)?;
            if n > 0 {
                return Ok(n);
            }
            self.within = false;
            let (said, found) = (self.frame.get_checksum_from_data(), self.frame.get_calculated_checksum());
            if said.is_some() && found.is_some() && said != found {
                return Err(damaged("wrong checksum"));
            }
        }
    }
}

fn too_early() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends too early")
}

fn damaged(how: &str) -> io::Error {
    let how = how.lines().next().unwrap_or_default();
    io::Error::new(io::ErrorKind::InvalidData, format!("the archive is damaged: {how}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, Write};

    fn text() -> Vec<u8> {
        (0..60_000)
            .flat_map(|number| format!("line {number} {}\n", number * 7_919 % 977).into_bytes())
            .collect()
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(text).unwrap();
        out.finish().unwrap()
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
    }

    /// What can be read, and the error at the end of it.
    fn read(archive: &[u8]) -> (Vec<u8>, Option<String>) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(archive).unwrap();
        file.rewind().unwrap();
        let codec = codec_of(&file).unwrap().expect("a codec");
        let (mut source, mut out, mut buf) = (decoder(codec, file), Vec::new(), [0; 5_000]);
        loop {
            match source.read(&mut buf) {
                Ok(0) => return (out, None),
                Ok(n) => out.extend_from_slice(&buf[..n]),
                Err(error) => return (out, Some(error.to_string())),
            }
        }
    }

    #[test]
    fn an_archive_may_have_several_parts() {
        let text = text();
        for pack in [gzip, zstd] {
            let parts = [pack(&text[..1_000]), pack(b""), pack(&text[1_000..])].concat();
            let (got, error) = read(&parts);
            assert!(got == text && error.is_none(), "{} bytes, {error:?}", got.len());
        }
        let skipped = [&0x184d_2a53u32.to_le_bytes()[..], &5u32.to_le_bytes(), b"other"].concat();
        let parts = [&skipped[..], &zstd(b"one\n"), &skipped, &zstd(b"two\n")].concat();
        assert_eq!(read(&parts), (b"one\ntwo\n".to_vec(), None));
    }

    #[test]
    fn what_can_be_read_is_given_and_then_what_is_wrong() {
        let text = text();
        for pack in [gzip, zstd] {
            let whole = pack(&text);
            for end in [4, 9, whole.len() / 2, whole.len() - 1] {
                let (got, error) = read(&whole[..end]);
                assert!(text.starts_with(&got));
                assert_eq!(error.as_deref(), Some("the archive ends too early"), "{end} of {}", whole.len());
                assert_eq!(got.len() > 100_000, end * 3 > whole.len(), "{end}: {}", got.len());
            }
            let mut broken = whole.clone();
            let middle = broken.len() / 2;
            broken[middle..middle + 64].fill(0xff);
            let (got, error) = read(&broken);
            assert!(!got.is_empty());
            assert!(error.is_some_and(|error| error.starts_with("the archive ")));
        }
        let (got, error) = read(&[gzip(b"one\n"), b"garbage that goes on".to_vec()].concat());
        assert_eq!(got, b"one\n");
        assert!(error.is_some_and(|error| error.starts_with("the archive is damaged")));
    }

    #[test]
    fn other_files_are_not_archives() {
        for first in [&b""[..], b"\x1f", b"\x1f\x8b", b"\x28\xb5\x2f", b"text\n", b"\xff\xfeh\0"] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(first).unwrap();
            assert_eq!(codec_of(&file).unwrap(), None, "{first:?}");
        }
    }
}
