//! Operator, account and user as JWTs, signed in the test: what a server trusts, and a credentials file that it lets in.

use nkeys::KeyPair;
use serde_json::{Value, json};

/// What a server's configuration says of the operator, and a user's credentials file.
pub(super) fn operator() -> (String, String) {
    let [operator, system, account, user] =
        [KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_account(), KeyPair::new_user()];
    let own = signed(&operator, &operator, "O", json!({ "type": "operator" }));
    let limits = |storage: i64| {
        json!({ "type": "account", "limits": {
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
            "mem_storage": storage, "disk_storage": storage, "streams": storage, "consumer": storage } })
    };
    let accounts = [(&system, "SYS", 0), (&account, "A", -1)].map(|(key, name, storage)| {
        format!("{}: \"{}\"", key.public_key(), signed(&operator, key, name, limits(storage)))
    });
    let config = format!(
        "jetstream {{ store_dir: \"STORE\" }}\noperator: \"{own}\"\nsystem_account: {}\nresolver: MEMORY\nresolver_preload: {{ {} }}",
        system.public_key(),
        accounts.join("\n")
    );
    let rights = json!({ "type": "user", "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1 });
    let token = signed(&account, &user, "u", rights);
    let seed = user.seed().expect("a seed");
    let dashes = "------";
    let creds = format!(
        "-----BEGIN NATS USER JWT-----\n{token}\n{dashes}END NATS USER JWT{dashes}\n\n-----BEGIN USER NKEY SEED-----\n{seed}\n{dashes}END USER NKEY SEED{dashes}\n"
    );
    (config, creds)
}

/// Claims of `issuer` about `subject`.
fn signed(issuer: &KeyPair, subject: &KeyPair, name: &str, mut claims: Value) -> String {
    claims["version"] = json!(2);
    let now = jiff::Timestamp::now().as_second();
    let (of, by) = (subject.public_key(), issuer.public_key());
    let body = json!({ "jti": of, "iat": now, "iss": by, "name": name, "sub": of, "nats": claims });
    let head = json!({ "typ": "JWT", "alg": "ed25519-nkey" });
    let text =
        format!("{}.{}", base64url(head.to_string().as_bytes()), base64url(body.to_string().as_bytes()));
    let signature = issuer.sign(text.as_bytes()).expect("a signature");
    format!("{text}.{}", base64url(&signature))
}

/// RFC 4648 § 5, without padding.
fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - three.len()));
        for at in 0..=three.len() {
            text.push(char::from(DIGITS[(bits >> (18 - 6 * at) & 63) as usize]));
        }
    }
    text
}
