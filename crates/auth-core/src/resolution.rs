//! Authority resolution: the requests needed to find an authority's endpoints (S-39, S-41, S-44).
//!
//! ```text
//!   the host is known, trusted by the caller or confirmed, or not Entra's ◀──yes── instance discovery
//!            │                                                                            │ no, or no answer
//!            ▼                                                                            ▼
//!   the endpoints follow from the kind ──yes──▶ Done(Ok)                              Done(Err)
//!            │ no, or the tenant's id is wanted
//!            ▼
//!   metadata document ──valid, or unchanged──▶ Done(Ok)
//!            │ no answer          └──invalid──▶ forget the old one, Done(Err)
//!            ▼
//!   the old document ──at most a week old──▶ Done(Ok), else Done(Err)
//! ```

use core::time::Duration;
use std::sync::Arc;

use rand_core::TryCryptoRng;

use crate::authority::Authority;
use crate::authority::metadata::ProviderMetadata;
use crate::client::RequestContext;
use crate::error::{ConfigError, Error, ProtocolError};
use crate::exchange::{Exchange as _, InstanceDiscovery, OpenIdConfiguration, Provider, Replay};
use crate::flow::{Flow, Input, Step};
use crate::time::Timestamp;
use crate::tokens::Tokens;

/// How long a document is fresh, minus up to [`JITTER`] at random, so that many processes do not fetch it at once.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);
const JITTER: Duration = Duration::from_secs(12 * 60 * 60);
/// How old a document may be if the provider cannot be reached.
const STALE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long an unreachable provider is not asked again.
const PAUSE: Duration = Duration::from_secs(30);

/// An authority and what has been discovered about it: plain data for callers to keep, all of it validated.
///
/// ```
/// use auth_core::{Authority, ResolvedAuthority, Timestamp};
///
/// let now = Timestamp::from_unix_seconds(1_700_000_000);
/// let entra = ResolvedAuthority::new(Authority::tenant("contoso.example")?);
/// assert!(entra.endpoints(now).is_some(), "known at compile time");
/// assert!(entra.lacks_tenant_id(), "only Entra knows the tenant of a domain");
/// assert!(ResolvedAuthority::new(Authority::oidc("https://idp.example")?).endpoints(now).is_none());
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ResolvedAuthority {
    authority: Arc<Authority>,
    tenant_id: Option<Arc<str>>,
    document: Option<Document>,
}

/// A validated metadata document.
#[derive(Clone, Debug)]
struct Document {
    provider: Provider,
    at: Timestamp,
    fresh_until: Timestamp,
}

impl Document {
    /// Whether it may be used without a request. If the clock was set back, its age is unknown.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.at <= now && now <= self.fresh_until && self.bridges_outage(now)
    }

    fn bridges_outage(&self, now: Timestamp) -> bool {
        self.at.duration_until(now) <= STALE
    }
}

impl ResolvedAuthority {
    /// Creates an authority about which nothing has been discovered.
    #[must_use]
    pub fn new(authority: Authority) -> Self {
        Self { authority: Arc::new(authority), tenant_id: None, document: None }
    }

    /// Returns the authority, with the names discovered so far.
    #[must_use]
    pub fn authority(&self) -> &Arc<Authority> {
        &self.authority
    }

    /// Returns the tenant's id if the authority names a domain and a document or tokens have revealed the id.
    #[must_use]
    pub fn tenant_id(&self) -> Option<&str> {
        self.tenant_id.as_deref()
    }

    /// Returns this authority with the id of the tenant that issued `tokens`, if the authority names it by a domain;
    /// `None` if that changes nothing. Tokens are as reliable as the document: both come from the same host, and the
    /// issuer of both was checked.
    #[must_use]
    pub fn with_tenant_of(&self, tokens: &Tokens) -> Option<Self> {
        let iss = tokens.id_token.as_ref().filter(|_| self.authority.wants_tenant_id())?.text("iss")?;
        let id = self.authority.issuer().tenant_of(iss)?.to_ascii_lowercase();
        (self.tenant_id() != Some(&*id)).then(|| Self { tenant_id: Some(id.into()), ..self.clone() })
    }

    /// Returns whether resolution could still discover the tenant of a domain name.
    #[must_use]
    pub fn lacks_tenant_id(&self) -> bool {
        self.tenant_id.is_none() && self.authority.wants_tenant_id()
    }

    /// Returns the endpoints, if no request is needed at the time `now`.
    #[must_use]
    pub fn endpoints(&self, now: Timestamp) -> Option<ProviderMetadata> {
        let document = || self.document.as_ref().filter(|document| document.is_fresh(now));
        self.authority.metadata().or_else(|| Some(document()?.provider.metadata.clone()))
    }

    /// Records the result of the request for the document, and returns the endpoints.
    fn learn(
        &mut self,
        answer: Result<Provider, Error>,
        fresh_for: Duration,
        now: Timestamp,
    ) -> Result<ProviderMetadata, Error> {
        match answer {
            Ok(provider) => {
                self.tenant_id = provider.tenant_id.as_deref().map(Arc::from);
                if let Some(metadata) = self.authority.metadata() {
                    return Ok(metadata);
                }
                let metadata = provider.metadata.clone();
                self.document = Some(Document { provider, at: now, fresh_until: now.saturating_add(fresh_for) });
                Ok(metadata)
            }
            Err(error) if error.is_transient() => match &mut self.document {
                Some(document) if document.bridges_outage(now) => {
                    document.fresh_until = now.saturating_add(PAUSE);
                    Ok(document.provider.metadata.clone())
                }
                Some(_) | None => Err(error),
            },
            // An invalid document also ends the trust in an older one.
            Err(error) => {
                self.document = None;
                Err(error)
            }
        }
    }
}

/// The result of an [`AuthorityResolution`].
#[derive(Debug)]
#[non_exhaustive]
pub struct ResolutionOutcome {
    /// What is known now; keep it even if resolution failed.
    pub known: ResolvedAuthority,
    /// The endpoints, or the reason why resolution failed.
    pub endpoints: Result<ProviderMetadata, Error>,
}

/// Finds the endpoints of an authority, and the tenant that it names. Sends no request for what is known.
///
/// ```
/// use auth_core::{
///     Application, Authority, AuthorityResolution, ClientId, CorrelationId, Flow, RequestContext, ResolvedAuthority,
///     Step, Timestamp,
/// };
///
/// let mut rng = rand::rngs::SysRng;
/// let id = CorrelationId::generate(&mut rng)?;
/// let context = RequestContext::new(Application::new(ClientId::new("my-client-id")?), id);
/// let known = ResolvedAuthority::new(Authority::parse("https://login.private.example/contoso.example")?);
/// let mut resolution = AuthorityResolution::new(context, known, &mut rng)?;
/// let Step::Send { request, .. } = resolution.step(Timestamp::from_unix_seconds(1_700_000_000))? else { panic!() };
/// assert_eq!(request.uri().host(), Some("login.microsoftonline.com"), "Entra is asked whether it knows the host");
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Debug)]
pub struct AuthorityResolution {
    context: RequestContext,
    known: ResolvedAuthority,
    wants_tenant_id: bool,
    /// How long a document received now is fresh.
    fresh_for: Duration,
    discovery: Option<Discovery>,
    endpoints: Option<Result<ProviderMetadata, Error>>,
    over: bool,
}

#[derive(Debug)]
enum Discovery {
    Instance(InstanceDiscovery),
    Document(OpenIdConfiguration),
}

impl AuthorityResolution {
    /// Creates a resolution that continues from what is `known`.
    ///
    /// # Errors
    /// [`ConfigError::Randomness`] if the generator fails.
    pub fn new(
        context: RequestContext,
        known: ResolvedAuthority,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Self, ConfigError> {
        let drawn = rng.try_next_u64().map_err(|_| ConfigError::Randomness)?;
        let jitter = Duration::from_secs(drawn.checked_rem(JITTER.as_secs()).unwrap_or_default());
        let fresh_for = FRESH.saturating_sub(jitter);
        Ok(Self { context, known, wants_tenant_id: false, fresh_for, discovery: None, endpoints: None, over: false })
    }

    /// Also discovers the tenant's id, if it is not known.
    #[must_use]
    pub fn with_tenant_id(mut self) -> Self {
        self.wants_tenant_id = true;
        self
    }

    /// The next request; `None` if everything needed is known.
    fn next(&mut self, now: Timestamp) -> Result<Option<Discovery>, ConfigError> {
        let (context, known) = (self.context.clone(), &self.known);
        // Nothing is sent to an unconfirmed host.
        if known.authority.needs_instance_discovery() {
            return InstanceDiscovery::new(context, &known.authority).map(Discovery::Instance).map(Some);
        }
        match known.endpoints(now) {
            Some(endpoints) if !(self.wants_tenant_id && known.lacks_tenant_id()) => {
                self.endpoints = Some(Ok(endpoints));
                Ok(None)
            }
            Some(_) | None => {
                let exchange = OpenIdConfiguration::new(context, &known.authority)?;
                let document = known.document.as_ref();
                Ok(Some(Discovery::Document(exchange.revalidating(document.map(|document| document.provider.clone())))))
            }
        }
    }
}

impl Flow for AuthorityResolution {
    type Output = ResolutionOutcome;

    fn step(&mut self, now: Timestamp) -> Result<Step<ResolutionOutcome>, Error> {
        if self.over {
            return Err(ProtocolError::OutOfOrder.into());
        }
        if self.discovery.is_none() && self.endpoints.is_none() {
            self.discovery = self.next(now)?;
        }
        let request = match &self.discovery {
            Some(Discovery::Instance(exchange)) => Some(exchange.request()),
            Some(Discovery::Document(exchange)) => Some(exchange.request()),
            None => None,
        };
        if let Some(request) = request {
            return Ok(Step::Send { request, replay: Replay::Once });
        }
        self.over = true;
        let endpoints = self.endpoints.take().ok_or(ProtocolError::OutOfOrder)?;
        Ok(Step::Done(ResolutionOutcome { known: self.known.clone(), endpoints }))
    }

    fn handle(&mut self, now: Timestamp, input: Input) -> Result<(), Error> {
        match self.discovery.take() {
            Some(Discovery::Instance(exchange)) => match input.complete(exchange, now) {
                Ok(instance) => self.known.authority = Arc::new(self.known.authority.with_instance(instance)),
                Err(error) => self.endpoints = Some(Err(error)),
            },
            Some(Discovery::Document(exchange)) => {
                self.endpoints = Some(self.known.learn(input.complete(exchange, now), self.fresh_for, now));
            }
            None => return Err(ProtocolError::OutOfOrder.into()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
