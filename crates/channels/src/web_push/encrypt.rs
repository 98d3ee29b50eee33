//! Message encryption for web push: RFC 8291 on the `aes128gcm` coding of RFC 8188, always one record.

use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::error::Unspecified;
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use ring::rand::{SecureRandom, SystemRandom};

/// URL-safe, without padding when written, with or without it when read.
pub const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// An uncompressed point of P-256.
pub const PUBLIC_KEY_LENGTH: usize = 65;
pub const AUTH_LENGTH: usize = 16;

/// What every push service takes (RFC 8030, 7.2), and what of it is left for the message.
const RECORD_LENGTH: u32 = 4096;
const HEADER_LENGTH: usize = 16 + 4 + 1 + PUBLIC_KEY_LENGTH;
pub const LONGEST_MESSAGE: usize = RECORD_LENGTH as usize - HEADER_LENGTH - 16 - 1;

/// The only and last record ends with this, then padding, of which there is none.
const LAST_RECORD: u8 = 2;

/// The browser's half, from its subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Browser {
    pub public_key: [u8; PUBLIC_KEY_LENGTH],
    pub auth: [u8; AUTH_LENGTH],
}

/// # Errors
/// When the browser's key is no point of the curve.
pub fn encrypt(browser: &Browser, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
    let random = SystemRandom::new();
    let mut salt = [0; 16];
    random.fill(&mut salt)?;
    let ours = EphemeralPrivateKey::generate(&ECDH_P256, &random)?;
    let our_public = ours.compute_public_key()?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, &browser.public_key);
    agree_ephemeral(ours, &theirs, |shared| seal(browser, our_public.as_ref(), shared, salt, message))?
}

/// With the secret that both sides agreed on; apart, so that RFC 8291's own example can be held against it.
pub fn seal(browser: &Browser, our_public: &[u8], shared: &[u8], salt: [u8; 16], message: &[u8]) -> Result<Vec<u8>, Unspecified> {
    let (key, nonce) = record_key(browser, our_public, shared, &salt)?;
    let mut record = [message, &[LAST_RECORD]].concat();
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut record)?;
    let key_length = u8::try_from(our_public.len()).map_err(|_| Unspecified)?;
    Ok([&salt[..], &RECORD_LENGTH.to_be_bytes(), &[key_length], our_public, &record].concat())
}

/// The sender's public key, and what opens the rest with the secret that both sides agreed on; `None` for what [`seal`] did not make.
pub fn parts(sealed: &[u8]) -> Option<(&[u8], [u8; 16], &[u8])> {
    let (salt, rest) = sealed.split_first_chunk::<16>()?;
    let (_, rest) = rest.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first()?;
    let (theirs, record) = rest.split_at_checked(usize::from(*length))?;
    Some((theirs, *salt, record))
}

/// The other way round, on the browser's side.
pub fn open(browser: &Browser, their_public: &[u8], shared: &[u8], salt: [u8; 16], record: &[u8]) -> Result<Vec<u8>, Unspecified> {
    let (key, nonce) = record_key(browser, their_public, shared, &salt)?;
    let mut record = record.to_vec();
    let length = key.open_in_place(nonce, Aad::empty(), &mut record)?.len();
    record.truncate(length);
    if record.pop() == Some(LAST_RECORD) { Ok(record) } else { Err(Unspecified) }
}

fn record_key(browser: &Browser, sender: &[u8], shared: &[u8], salt: &[u8]) -> Result<(LessSafeKey, Nonce), Unspecified> {
    let agreed = Salt::new(HKDF_SHA256, &browser.auth).extract(shared);
    let input: [u8; 32] = expand(&agreed, &[b"WebPush: info\0", &browser.public_key, sender])?;
    let keys = Salt::new(HKDF_SHA256, salt).extract(&input);
    let key: [u8; 16] = expand(&keys, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce: [u8; 12] = expand(&keys, &[b"Content-Encoding: nonce\0"])?;
    Ok((LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?), Nonce::assume_unique_for_key(nonce)))
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand<const N: usize>(from: &Prk, info: &[&[u8]]) -> Result<[u8; N], Unspecified> {
    let mut out = [0; N];
    from.expand(info, Length(N))?.fill(&mut out)?;
    Ok(out)
}
