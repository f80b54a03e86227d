//! Authority resolution: what is asked of whom until an authority's endpoints are known (S-39, S-41, S-44).
//!
//! ```text
//!   the host is compiled in, vouched for or confirmed, or no host of Entra's ◀──yes── instance discovery
//!            │                                                                              │ no, or no answer
//!            ▼                                                                              ▼
//!   the rules of the kind tell the endpoints ──yes──▶ Done(Ok)                          Done(Err)
//!            │ no, or the id of the tenant is wanted
//!            ▼
//!   metadata document ──good, or unchanged──▶ Done(Ok)
//!            │ no answer                 └──breaks a rule──▶ forgotten, Done(Err)
//!            ▼
//!   the one that is known ──at most a week old──▶ Done(Ok), else Done(Err)
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

/// A document is taken as it is for a day at most, less a random part of half a day, so that many processes do not ask
/// at the same time.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);
const JITTER: Duration = Duration::from_secs(12 * 60 * 60);
/// Older ones serve so long while the provider cannot be reached,
const STALE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// and it is left alone so long.
const PAUSE: Duration = Duration::from_secs(30);

/// An authority, and what is known of it by now: plain data for callers to keep. Only what passed every check is in it.
///
/// ```
/// use auth_core::{Authority, ResolvedAuthority, Timestamp};
///
/// let now = Timestamp::from_unix_seconds(1_700_000_000);
/// let entra = ResolvedAuthority::new(Authority::tenant("contoso.example")?);
/// assert!(entra.endpoints(now).is_some(), "it is compiled in");
/// assert!(entra.lacks_tenant_id(), "only Entra knows which tenant has the domain");
/// assert!(ResolvedAuthority::new(Authority::oidc("https://idp.example")?).endpoints(now).is_none());
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ResolvedAuthority {
    authority: Arc<Authority>,
    tenant_id: Option<Arc<str>>,
    document: Option<Document>,
}

/// A metadata document that passed every check.
#[derive(Clone, Debug)]
struct Document {
    provider: Provider,
    at: Timestamp,
    fresh_until: Timestamp,
}

impl Document {
    /// Whether it may be used without asking. A clock that was set back tells nothing of its age.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.at <= now && now <= self.fresh_until && self.bridges_outage(now)
    }

    fn bridges_outage(&self, now: Timestamp) -> bool {
        self.at.duration_until(now) <= STALE
    }
}

impl ResolvedAuthority {
    /// An authority of which nobody has been asked yet.
    #[must_use]
    pub fn new(authority: Authority) -> Self {
        Self { authority: Arc::new(authority), tenant_id: None, document: None }
    }

    /// The authority, with the names that are known of it by now.
    #[must_use]
    pub fn authority(&self) -> &Arc<Authority> {
        &self.authority
    }

    /// The id of the tenant, where the authority names a domain and its document or its tokens have told the id.
    #[must_use]
    pub fn tenant_id(&self) -> Option<&str> {
        self.tenant_id.as_deref()
    }

    /// The same, knowing which tenant issued `tokens`, where the authority names it by a domain; `None` where that is no
    /// news. It is as good as the document's word: both come from the same host, and the issuer of both was checked.
    #[must_use]
    pub fn with_tenant_of(&self, tokens: &Tokens) -> Option<Self> {
        let iss = tokens.id_token.as_ref().filter(|_| self.authority.wants_tenant_id())?.text("iss")?;
        let id = self.authority.issuer().tenant_of(iss)?.to_ascii_lowercase();
        (self.tenant_id() != Some(&*id)).then(|| Self { tenant_id: Some(id.into()), ..self.clone() })
    }

    /// Whether resolution could still tell which tenant a domain name means.
    #[must_use]
    pub fn lacks_tenant_id(&self) -> bool {
        self.tenant_id.is_none() && self.authority.wants_tenant_id()
    }

    /// The endpoints, where nobody has to be asked at the time `now`.
    #[must_use]
    pub fn endpoints(&self, now: Timestamp) -> Option<ProviderMetadata> {
        let document = || self.document.as_ref().filter(|document| document.is_fresh(now));
        self.authority.metadata().or_else(|| Some(document()?.provider.metadata.clone()))
    }

    /// Takes in what asking for the document brought, and tells the endpoints.
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
            // An answer that failed a check ends the trust in an older one, too.
            Err(error) => {
                self.document = None;
                Err(error)
            }
        }
    }
}

/// How resolution ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct ResolutionOutcome {
    /// What is known now, to be kept whichever the endpoints are.
    pub known: ResolvedAuthority,
    /// The endpoints, or why what was wanted is not known.
    pub endpoints: Result<ProviderMetadata, Error>,
}

/// Finds out where the endpoints of an authority are, and which tenant it names. It asks nobody for what is known.
///
/// ```
/// use auth_core::{
///     Application, Authority, AuthorityResolution, ClientId, CorrelationId, Flow, RequestContext, ResolvedAuthority,
///     Step, Timestamp,
/// };
///
/// let mut rng = rand::rngs::SysRng;
/// let context = RequestContext::new(Application::new(ClientId::new("my-client-id")?), CorrelationId::generate(&mut rng)?);
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
    /// How long a document that comes now is taken as it is.
    fresh_for: Duration,
    asking: Option<Asking>,
    endpoints: Option<Result<ProviderMetadata, Error>>,
    over: bool,
}

#[derive(Debug)]
enum Asking {
    Instance(InstanceDiscovery),
    Document(OpenIdConfiguration),
}

impl AuthorityResolution {
    /// Resolves the endpoints of an authority.
    ///
    /// # Errors
    /// [`ConfigError::Randomness`] when the generator fails.
    pub fn new(
        context: RequestContext,
        known: ResolvedAuthority,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Self, ConfigError> {
        let drawn = rng.try_next_u64().map_err(|_| ConfigError::Randomness)?;
        let jitter = Duration::from_secs(drawn.checked_rem(JITTER.as_secs()).unwrap_or_default());
        let fresh_for = FRESH.saturating_sub(jitter);
        Ok(Self { context, known, wants_tenant_id: false, fresh_for, asking: None, endpoints: None, over: false })
    }

    /// Also asks for the tenant's id, where it is not known.
    #[must_use]
    pub fn with_tenant_id(mut self) -> Self {
        self.wants_tenant_id = true;
        self
    }

    /// What must be asked next; `None` when what is wanted is known.
    fn next(&mut self, now: Timestamp) -> Result<Option<Asking>, ConfigError> {
        let (context, known) = (self.context.clone(), &self.known);
        // Before it is confirmed nothing is sent to a host.
        if known.authority.needs_instance_discovery() {
            return InstanceDiscovery::new(context, &known.authority).map(Asking::Instance).map(Some);
        }
        match known.endpoints(now) {
            Some(endpoints) if !(self.wants_tenant_id && known.lacks_tenant_id()) => {
                self.endpoints = Some(Ok(endpoints));
                Ok(None)
            }
            Some(_) | None => {
                let exchange = OpenIdConfiguration::new(context, &known.authority)?;
                let document = known.document.as_ref();
                Ok(Some(Asking::Document(exchange.revalidating(document.map(|document| document.provider.clone())))))
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
        if self.asking.is_none() && self.endpoints.is_none() {
            self.asking = self.next(now)?;
        }
        let request = match &self.asking {
            Some(Asking::Instance(exchange)) => Some(exchange.request()),
            Some(Asking::Document(exchange)) => Some(exchange.request()),
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
        match self.asking.take() {
            Some(Asking::Instance(exchange)) => match input.complete(exchange, now) {
                Ok(instance) => self.known.authority = Arc::new(self.known.authority.with_instance(instance)),
                Err(error) => self.endpoints = Some(Err(error)),
            },
            Some(Asking::Document(exchange)) => {
                self.endpoints = Some(self.known.learn(input.complete(exchange, now), self.fresh_for, now));
            }
            None => return Err(ProtocolError::OutOfOrder.into()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
