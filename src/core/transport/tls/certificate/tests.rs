//! Pairs of every kind, good and bad.

use super::*;

macro_rules! pem {
    ($name:literal) => {
        include_bytes!(concat!("../../../../../tests/certificates/", $name)) as &[u8]
    };
}

const RSA: (&[u8], &[u8]) = (pem!("rsa.pem"), pem!("rsa-key.pem"));
const P256: (&[u8], &[u8]) = (pem!("p256.pem"), pem!("p256-key.pem"));
const P384: (&[u8], &[u8]) = (pem!("p384.pem"), pem!("p384-key.pem"));
const ED25519: (&[u8], &[u8]) = (pem!("ed25519.pem"), pem!("ed25519-key.pem"));
const CHAIN: (&[u8], &[u8]) = (pem!("chain.pem"), pem!("chain-key.pem"));

/// (2.7.2)
#[test]
fn every_kind_of_pair_is_read_and_has_its_dates() {
    for (chain, key) in [RSA, P256, P384, ED25519, CHAIN] {
        let certificate = Certificate::from_pem(chain, key).unwrap();
        let Validity { not_before, not_after } = certificate.validity();
        assert_eq!((not_after - not_before) / 86_400, 36_500);
        assert_eq!(certificate.fingerprint().len(), 95, "{}", certificate.fingerprint());
    }
}

#[test]
fn a_certificate_and_its_key_may_stand_in_one_file() {
    let both = [P256.1, P256.0].concat();
    Certificate::from_pem(&both, &both).unwrap();
}

/// (2.7.2)
#[test]
fn each_kind_of_bad_pair_has_a_fault_of_its_own() {
    let junk = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let cut = &P256.0[..P256.0.len() - 30];
    let cut_key = &P256.1[..P256.1.len() - 30];
    for (chain, key, fault) in [
        (&b""[..], P256.1, PairFault::NoCertificate),
        (b"hello", P256.1, PairFault::NoCertificate),
        (P256.1, P256.0, PairFault::Swapped),
        (cut, P256.1, PairFault::BadCertificate),
        (junk, P256.1, PairFault::BadCertificate),
        (P256.0, b"", PairFault::NoKey),
        (P256.0, P256.0, PairFault::NoKey),
        (P256.0, cut_key, PairFault::BadKey),
        (P256.0, pem!("encrypted-key.pem"), PairFault::EncryptedKey),
        (RSA.0, pem!("encrypted-rsa-key.pem"), PairFault::EncryptedKey),
        (pem!("p521.pem"), pem!("p521-key.pem"), PairFault::UnsupportedKey),
        (pem!("rsa1024.pem"), pem!("rsa1024-key.pem"), PairFault::UnsupportedKey),
        (P256.0, RSA.1, PairFault::NotAPair),
        (RSA.0, P384.1, PairFault::NotAPair),
        // The issuer first: then the key is not its.
        (pem!("ca.pem"), CHAIN.1, PairFault::NotAPair),
    ] {
        assert_eq!(Certificate::from_pem(chain, key).unwrap_err(), fault);
        let sentence = fault.to_string();
        assert!(sentence.starts_with("has ") || sentence.starts_with("is "), "{sentence}");
        assert!(!sentence.contains('\n'));
    }
}

#[test]
fn nothing_that_is_printed_holds_the_key() {
    let certificate = Certificate::from_pem(P256.0, P256.1).unwrap();
    let printed = format!("{certificate:?}");
    let key = PrivateKeyDer::from_pem_slice(P256.1).unwrap();
    let hex = key.secret_der()[60..68].iter().map(|byte| byte.to_string()).collect::<Vec<_>>();
    assert!(!printed.contains(&hex.join(", ")), "{printed}");
}
