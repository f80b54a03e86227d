//! Entra's instance discovery: the names of a cloud.

use bytes::Bytes;
use http::{Request, Response, Uri};
use serde_json::Value;

use super::message::{self, Answer};
use super::{Exchange, Replay};
use crate::authority::Authority;
use crate::authority::names::InstanceMetadata;
use crate::body::Body;
use crate::client::RequestContext;
use crate::error::{ConfigError, Error, ProtocolError};
use crate::time::Timestamp;

const MESSAGE: &str = "instance discovery answer";

/// Asks an Entra host known at compile time whether it knows the authority's host, and by which other names (S-39).
///
/// ```
/// use auth_core::{Application, Authority, ClientId, CorrelationId, Exchange, InstanceDiscovery, RequestContext};
///
/// let id = CorrelationId::generate(&mut rand::rngs::SysRng)?;
/// let context = RequestContext::new(Application::new(ClientId::new("my-client-id")?), id);
/// let authority = Authority::parse("https://login.private.example/contoso.example")?;
/// let request = InstanceDiscovery::new(context, &authority)?.request();
/// assert_eq!(request.uri().host(), Some("login.microsoftonline.com"));
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Debug)]
pub struct InstanceDiscovery {
    context: RequestContext,
    url: Uri,
    host: String,
}

impl InstanceDiscovery {
    /// Creates the exchange for `authority`.
    ///
    /// # Errors
    /// [`ConfigError::Authority`] if `authority` is not an Entra authority.
    pub fn new(context: RequestContext, authority: &Authority) -> Result<Self, ConfigError> {
        let url = authority.instance_discovery_url().ok_or(ConfigError::Authority("it is not an Entra authority"))?;
        Ok(Self { context, url, host: authority.host().to_owned() })
    }
}

impl Exchange for InstanceDiscovery {
    type Output = InstanceMetadata;

    const REPLAY: Replay = Replay::Once;

    fn request(&self) -> Request<Body> {
        message::get(&self.context, &self.url)
    }

    fn complete(self, response: Response<Bytes>, now: Timestamp) -> Result<InstanceMetadata, Error> {
        let document = match message::judge(&self.context, &response, MESSAGE, now)? {
            Answer::Success(document) => document.into_map(),
            Answer::Refusal(error) if error.error == "invalid_instance" => {
                return Err(ConfigError::UnknownAuthorityHost { host: self.host }.into());
            }
            Answer::Refusal(error) => return Err(error.into()),
        };
        let clouds = document.get("metadata").and_then(Value::as_array);
        let clouds = clouds.ok_or(ProtocolError::Missing { message: MESSAGE, name: "metadata" })?;
        let own = clouds.iter().filter_map(names).find(|names| names.aliases.contains(&self.host));
        own.ok_or_else(|| ConfigError::UnknownAuthorityHost { host: self.host }.into())
    }
}

/// One cloud of the answer, with its names in lower case; `None` if it is malformed.
fn names(cloud: &Value) -> Option<InstanceMetadata> {
    let host = |value: &Value| {
        let name = value.as_str()?.to_ascii_lowercase();
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
        (!name.is_empty() && name.len() <= 253 && name.bytes().all(legal)).then_some(name)
    };
    let aliases: Option<Vec<_>> = cloud.get("aliases")?.as_array()?.iter().map(host).collect();
    let preferred_cache = host(cloud.get("preferred_cache")?)?;
    let aliases = aliases?;
    aliases.contains(&preferred_cache).then_some(InstanceMetadata { aliases, preferred_cache })
}
