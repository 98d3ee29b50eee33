//! Whom we trust on outgoing TLS connections: the roots that Mozilla trusts, and a company's own if it names them.

use crate::settings::{Fault, SettingsError};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// TLS 1.2 and 1.3 by ring; `own_roots` is PEM text with any number of certificates.
///
/// # Errors
/// [`SettingsError`] when `own_roots` holds no certificate or a broken one.
pub fn client_config(own_roots: Option<&str>) -> Result<ClientConfig, SettingsError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(pem) = own_roots {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            certificate.ok().and_then(|certificate| roots.add(certificate).ok()).ok_or(BAD_ROOTS)?;
        }
        if roots.len() == before {
            return Err(BAD_ROOTS);
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("ring knows TLS 1.2 and 1.3");
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

const BAD_ROOTS: SettingsError = SettingsError { key: "trusted_certificates", fault: Fault::NoCertificate };
