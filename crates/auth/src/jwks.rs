//! Signatures of ID tokens (S-76).

use std::sync::Arc;
use std::time::Duration;

use auth_core::{
    Application, CorrelationId, IdToken, IdTokenFault, JwkSet, JwkSetRequest, ProtocolError, RequestContext,
};
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey};
use rand::rngs::SysRng;
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use crate::authorities::KnownAuthority;
use crate::driver::Driver;
use crate::error::AuthError;
use crate::timing::Timing;

/// How long keys are used.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);
/// How soon keys are fetched again for a token that none of them fits, so that forged tokens cause no more requests.
const PAUSE: Duration = Duration::from_secs(5 * 60);
/// How soon keys are fetched again after a failure (S-41).
const RETRY: Duration = Duration::from_secs(30);

/// The keys that the client's provider publishes, fetched on first use. Calls that come meanwhile wait for them.
#[derive(Debug, Default)]
pub(crate) struct PublishedKeys(Mutex<Option<Asked>>);

#[derive(Debug)]
struct Asked {
    answer: Result<Arc<JwkSet>, AuthError>,
    /// In uptime, which cannot be set.
    at: Duration,
}

impl PublishedKeys {
    /// Checks the signature of a token that the authority `known` issued.
    pub(crate) async fn verify(
        &self,
        id_token: &IdToken,
        application: &Application,
        known: &KnownAuthority,
        driver: &Driver,
    ) -> Result<(), AuthError> {
        let mut last = self.0.lock().await;
        let keys = match last.as_ref().and_then(|asked| asked.answer_for(id_token, driver.uptime())) {
            Some(answer) => answer?,
            None => {
                let answer = fetch(application, known, driver).await.map(Arc::new);
                *last = Some(Asked { answer: answer.clone(), at: driver.uptime() });
                answer?
            }
        };
        drop(last);
        judge(id_token, &keys).map_err(|fault| ProtocolError::from(fault).into())
    }
}

impl Asked {
    /// The answer, as long as it can be used for this token.
    fn answer_for(&self, id_token: &IdToken, now: Duration) -> Option<Result<Arc<JwkSet>, AuthError>> {
        let good_for = match &self.answer {
            Ok(keys) if keys.keys_for(id_token).next().is_some() => FRESH,
            Ok(_) => PAUSE,
            Err(_) => RETRY,
        };
        (now.saturating_sub(self.at) < good_for).then(|| self.answer.clone())
    }
}

async fn fetch(application: &Application, known: &KnownAuthority, driver: &Driver) -> Result<JwkSet, AuthError> {
    let context = RequestContext::new(application.clone(), CorrelationId::generate(&mut SysRng)?);
    let mut timing = Timing::begin();
    let metadata = known.endpoints(driver, &context, &mut timing).await?;
    let request = JwkSetRequest::new(context, &metadata)?;
    Ok(driver.perform(request, &mut timing).await?)
}

fn judge(id_token: &IdToken, keys: &JwkSet) -> Result<(), IdTokenFault> {
    let algorithm = id_token.header().get("alg").and_then(Value::as_str).and_then(|name| name.parse().ok());
    let (algorithm, signature) = algorithm.zip(id_token.signature()).ok_or(IdTokenFault::Signature)?;
    let mut keys = keys.keys_for(id_token).peekable();
    keys.peek().ok_or(IdTokenFault::Key)?;
    let signed = keys.any(|key| has_signed(key, algorithm, id_token.signing_input(), &signature).is_some());
    if signed { Ok(()) } else { Err(IdTokenFault::Signature) }
}

/// Returns `Some` if the key has signed the text. Does not use jsonwebtoken's process-wide provider, which is the
/// application's to choose.
fn has_signed(key: &Map<String, Value>, algorithm: Algorithm, text: &str, signature: &Vec<u8>) -> Option<()> {
    let jwk: Jwk = serde_json::from_value(Value::Object(key.clone())).ok()?;
    let verifier = (DEFAULT_PROVIDER.verifier_factory)(&algorithm, &DecodingKey::from_jwk(&jwk).ok()?).ok()?;
    verifier.verify(text.as_bytes(), signature).ok()
}
