//! What `cargo deb` puts into the Debian package: that it is there, and that its service is as closed as is said.
//!
//! The package itself is not built here: that takes as long as a release build.

use crate::support::server::run;
use crate::support::{Place, have};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The assets that the manifest lists: source, destination, mode.
fn assets() -> Vec<[String; 3]> {
    let manifest = read("Cargo.toml");
    let list = manifest.split_once("\nassets = [\n").expect("the assets").1;
    let list = list.split_once("\n]").expect("their end").0;
    list.lines()
        .map(|line| {
            let parts: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
            <[&str; 3]>::try_from(parts).unwrap_or_else(|parts| panic!("{parts:?}")).map(str::to_owned)
        })
        .collect()
}

#[test]
fn every_asset_is_there() {
    let assets = assets();
    assert!(assets.len() >= 8, "{assets:?}");
    for [source, destination, mode] in &assets {
        assert!(["755", "644", "640"].contains(&mode.as_str()), "{source}: {mode}");
        assert!(!destination.starts_with('/') && !destination.contains(".."), "{destination}");
        if source.starts_with("target/release/") {
            continue;
        }
        match source.split_once('*') {
            None => assert!(root().join(source).is_file(), "{source}"),
            Some((folder, end)) => {
                let found = fs::read_dir(root().join(folder)).expect(folder).flatten();
                let found = found.filter(|entry| entry.file_name().to_string_lossy().ends_with(end)).count();
                assert!(found >= 8, "{source}: {found}");
            }
        }
    }
    // What is marked as configuration is one of them, and what a script needs at build is beside the unit.
    let named = assets.iter().any(|[_, destination, _]| destination == "etc/default/logcast");
    assert!(named && read("Cargo.toml").contains("conf-files = [\"/etc/default/logcast\"]"));
    for script in fs::read_dir(root().join("assets/systemd")).expect("scripts").flatten() {
        let name = script.file_name().to_string_lossy().into_owned();
        if ["postinst", "prerm", "postrm", "preinst"].contains(&name.as_str()) {
            let checked = run(&Place::new(), &["sh", "-n", &script.path().to_string_lossy()]);
            assert_eq!(checked.code, Some(0), "{name}: {}", checked.stderr);
        }
    }
}

/// The unit's settings, of which the last counts, but for lists.
fn unit() -> HashMap<String, Vec<String>> {
    let mut found: HashMap<String, Vec<String>> = HashMap::new();
    for line in read("assets/systemd/logcast.service").lines().filter(|line| !line.starts_with('#')) {
        if let Some((key, value)) = line.split_once('=') {
            found.entry(key.to_owned()).or_default().push(value.to_owned());
        }
    }
    found
}

#[test]
fn the_service_is_closed_and_waits_to_be_started() {
    let unit = unit();
    let is = |key: &str, value: &str| {
        unit.get(key).is_some_and(|values| values.last().is_some_and(|own| own == value))
    };
    for (key, value) in [
        ("Type", "notify"),
        ("NotifyAccess", "main"),
        ("DynamicUser", "yes"),
        ("SupplementaryGroups", "adm"),
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", ""),
        ("AmbientCapabilities", ""),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"),
        ("MemoryDenyWriteExecute", "yes"),
        ("RestrictNamespaces", "yes"),
        ("UMask", "0077"),
        ("RestartPreventExitStatus", "2"),
    ] {
        assert!(is(key, value), "{key} is {:?}", unit.get(key));
    }
    assert!(unit.contains_key("MemoryMax") && unit.contains_key("WatchdogSec"));
    let manifest = read("Cargo.toml");
    assert!(
        manifest.contains("enable = false, start = false"),
        "it serves nothing before somebody says what"
    );
    // The file of options names no option that there is not.
    let help = read("tests/golden/help-serve.txt");
    let defaults = read("assets/systemd/logcast.default");
    let names: Vec<&str> = defaults
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='))
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("LOGCAST_"))
        .collect();
    assert!(names.len() >= 3, "{names:?}");
    for name in names {
        assert!(help.contains(name), "{name}");
    }
    assert!(defaults.contains("\nSOURCES="), "what ExecStart takes");
}

/// What systemd itself says to the unit, and how exposed it finds it.
#[test]
fn systemd_takes_the_unit() {
    if !have("systemd-analyze") {
        return;
    }
    let place = Place::new();
    // The program is where the package puts it, which is nowhere yet; the rest has to pass.
    let text = read("assets/systemd/logcast.service").replace("/usr/bin/logcast", "/bin/true");
    let text = text.replace("EnvironmentFile=/etc/default/", "EnvironmentFile=-/etc/default/");
    place.write("logcast.service", text);
    let verified = run(&place, &["systemd-analyze", "verify", "--man=no", "./logcast.service"]);
    assert_eq!(verified.code, Some(0), "{}{}", verified.stdout, verified.stderr);
    assert!(!verified.stderr.contains("logcast.service:"), "{}", verified.stderr);
    let security = [
        "systemd-analyze",
        "security",
        "--offline=true",
        "--threshold=20",
        "--no-pager",
        "./logcast.service",
    ];
    let rated = run(&place, &security);
    assert_eq!(rated.code, Some(0), "more exposed than 2.0: {}{}", rated.stdout, rated.stderr);
}
