//! Passwords become hashes, and are compared with them: Argon2id, as PHC strings.
//!
//! A hash says with which parameters it was made, so parameters can change. What a stored hash may ask
//! for is bounded: a damaged file must not make the helper take all memory.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::try_generate_salt;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroizing;

use crate::core::limits::{HASH_LANES_MAX, HASH_MEMORY_KIB_MAX, HASH_PASSES_MAX};

/// The parameters of OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How a password compares with a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    /// Right, and the hash was made with other parameters than today's.
    RightButOutdated,
    Wrong,
}

/// Makes and compares hashes. It keeps the memory that a hash needs: the allocator of some systems
/// would give none of it back to the next hash, and the process would grow by 19 MiB each time.
#[derive(Debug)]
pub(super) struct Hasher(Vec<Block>);

impl Hasher {
    pub(super) fn new() -> Hasher {
        Hasher(vec![Block::new(); params().block_count()])
    }

    /// Hashes a password with a new salt. `None` if the system gives no random bytes.
    pub(super) fn hash(&mut self, password: &[u8]) -> Option<String> {
        let (params, salt) = (params(), Salt::new(&try_generate_salt().ok()?).ok()?);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        let hash = self.output(&argon2, password, &salt, Params::DEFAULT_OUTPUT_LEN)?;
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).ok()?,
            salt: Some(salt),
            hash: Some(hash),
        };
        Some(hash.to_string())
    }

    /// Compares a password with a stored hash. Without one it does the same work in vain, so that the
    /// time tells nobody which names have an account.
    pub(super) fn verify(&mut self, password: &[u8], hash: Option<&str>) -> Verdict {
        let Some(hash) = hash.and_then(parse) else {
            drop(self.hash(password));
            return Verdict::Wrong;
        };
        match self.is_right(password, &hash) {
            Some(true) if is_outdated(&hash) => Verdict::RightButOutdated,
            Some(true) => Verdict::Right,
            Some(false) | None => Verdict::Wrong,
        }
    }

    fn is_right(&mut self, password: &[u8], hash: &PasswordHash) -> Option<bool> {
        let (salt, expected) = (hash.salt.as_ref()?, hash.hash.as_ref()?);
        let version = hash.version.map_or(Ok(Version::V0x13), Version::try_from).ok()?;
        let argon2 = Argon2::new(Algorithm::Argon2id, version, Params::try_from(hash).ok()?);
        let found = self.output(&argon2, password, salt, expected.as_bytes().len())?;
        // This comparison takes the same time wherever the two differ.
        Some(found == *expected)
    }

    fn output(
        &mut self,
        argon2: &Argon2<'_>,
        password: &[u8],
        salt: &Salt,
        len: usize,
    ) -> Option<Output> {
        let mut bytes = Zeroizing::new(vec![0; len]);
        // Only a hash with other parameters needs more.
        let blocks = argon2.params().block_count().max(self.0.len());
        self.0.resize(blocks, Block::new());
        argon2.hash_password_into_with_memory(password, salt, &mut bytes, &mut self.0).ok()?;
        Output::new(&bytes).ok()
    }
}

fn params() -> Params {
    Params::new(MEMORY_KIB, PASSES, LANES, None).expect("valid parameters")
}

/// Whether `text` is a hash that [`Hasher::verify`] accepts.
pub(super) fn is_valid(text: &str) -> bool {
    parse(text).is_some()
}

/// Parses a hash, if it asks for no more work than the limits allow (7.96).
fn parse(text: &str) -> Option<PasswordHash> {
    let hash = PasswordHash::new(text).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let is_bounded = params.m_cost() <= HASH_MEMORY_KIB_MAX
        && params.t_cost() <= HASH_PASSES_MAX
        && params.p_cost() <= HASH_LANES_MAX
        && hash.salt.is_some()
        && hash.hash.as_ref().is_some_and(|output| output.as_bytes().len() >= 16)
        && hash.algorithm.as_str() == Algorithm::Argon2id.as_str();
    is_bounded.then_some(hash)
}

fn is_outdated(hash: &PasswordHash) -> bool {
    let Ok(params) = Params::try_from(hash) else { return true };
    let len = hash.hash.as_ref().map_or(0, |output: &Output| output.as_bytes().len());
    (params.m_cost(), params.t_cost(), params.p_cost(), len)
        != (MEMORY_KIB, PASSES, LANES, Params::DEFAULT_OUTPUT_LEN)
        || hash.version != Some(Version::V0x13.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::password_hash::PasswordHasher;

    fn with(params: &str) -> String {
        let hash = Hasher::new().hash(b"correct horse").unwrap();
        let today = format!("m={MEMORY_KIB},t={PASSES},p={LANES}");
        assert!(hash.contains(&today), "{hash}");
        hash.replace(&today, params)
    }

    #[test]
    fn only_the_same_password_is_right_and_no_two_hashes_are_the_same() {
        let mut hasher = Hasher::new();
        let [one, two] = [(); 2].map(|()| hasher.hash(b"correct horse").unwrap());
        assert_ne!(one, two);
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_eq!(hasher.verify(b"correct horse", Some(&one)), Verdict::Right);
        assert_eq!(hasher.verify(b"correct horsf", Some(&one)), Verdict::Wrong);
        assert_eq!(hasher.verify(b"correct horse", None), Verdict::Wrong);
    }

    /// A hash of an older server, made with 64 KiB and one pass.
    #[test]
    fn a_hash_with_other_parameters_is_verified_and_outdated() {
        let params = Params::new(64, 1, 1, None).unwrap();
        let old = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let old = old.hash_password(b"correct horse").unwrap();
        let old = PasswordHash::to_string(&old);
        assert_eq!(Hasher::new().verify(b"correct horse", Some(&old)), Verdict::RightButOutdated);
        assert_eq!(Hasher::new().verify(b"wrong", Some(&old)), Verdict::Wrong);
    }

    /// (7.96)
    #[test]
    fn what_a_stored_hash_may_ask_for_is_bounded() {
        assert!(is_valid(&with("m=65536,t=3,p=4")));
        for params in ["m=4294967295,t=2,p=1", "m=19456,t=4294967295,p=1", "m=19456,t=2,p=9999"] {
            assert!(!is_valid(&with(params)), "{params}");
        }
        let other = with("m=64,t=1,p=1").replace("argon2id", "argon2i");
        for text in ["", "x", "$argon2id$", "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ", &other] {
            assert!(!is_valid(text), "{text}");
        }
    }
}
