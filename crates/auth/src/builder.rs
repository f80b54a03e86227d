//! Configuration of a client.

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use auth_cache::{Margins, PartitionedStorage, Storage, TokenCache};
use auth_core::{Application, Authority, ClientId, ConfigError, is_web_origin};
use auth_http::{Clock, ClockSkewWatch, DynTransport, SystemClock, Transport};
use auth_interactive::{Browser, DynBrowser, Pages};

use crate::broker::{Broker, DynBroker};
use crate::client::PublicClient;
use crate::driver::Driver;
use crate::event::{Event, Observer};
use crate::flights::Flights;
use crate::provider::Directory;
use crate::redeemed::Redeemed;
use crate::shared::Shared;
use crate::throttle::Throttle;
use crate::turns::Turns;

const NO_TRANSPORT: ConfigError =
    ConfigError::Missing { part: "transport", remedy: "turn feature `reqwest` on, or give one with `.transport(..)`" };

/// Collects the parts of a [`PublicClient`].
#[must_use = "nothing is built before `build`"]
pub struct PublicClientBuilder {
    client_id: String,
    name: Option<(String, String)>,
    capabilities: Vec<String>,
    authority: Option<Authority>,
    known_authorities: Vec<String>,
    instance_discovery: bool,
    cache: Option<Arc<TokenCache>>,
    margins: Margins,
    transport: Option<Arc<dyn DynTransport>>,
    browser: Option<Arc<dyn DynBrowser>>,
    broker: Option<Arc<dyn DynBroker>>,
    sign_in_origins: Vec<String>,
    pages: Pages,
    clock: Arc<dyn Clock>,
    observer: Observer,
    clock_skew: Option<Duration>,
    multi_cloud: bool,
}

impl PublicClient {
    /// Begins to configure a client that is registered under `client_id`.
    pub fn builder(client_id: impl Into<String>) -> PublicClientBuilder {
        PublicClientBuilder {
            client_id: client_id.into(),
            name: None,
            capabilities: Vec::new(),
            authority: None,
            known_authorities: Vec::new(),
            instance_discovery: true,
            cache: None,
            margins: Margins::default(),
            transport: None,
            browser: None,
            broker: None,
            sign_in_origins: Vec::new(),
            pages: Pages::default(),
            clock: Arc::new(SystemClock),
            observer: Observer::default(),
            clock_skew: None,
            multi_cloud: false,
        }
    }
}

impl PublicClientBuilder {
    /// Who signs people in; by default `common` of Entra's public cloud.
    pub fn authority(mut self, authority: Authority) -> Self {
        self.authority = Some(authority);
        self
    }

    /// Hosts that the application vouches for, such as those of a private cloud: they are used although Entra's public
    /// cloud does not know them (MSAL Node's `knownAuthorities`). Replaces those given before.
    pub fn known_authorities<S: Into<String>>(mut self, hosts: impl IntoIterator<Item = S>) -> Self {
        self.known_authorities = hosts.into_iter().map(Into::into).collect();
        self
    }

    /// Whether Entra is asked about an authority host that is neither compiled in nor among the
    /// [known authorities](Self::known_authorities) before anything is sent there; by default it is. Without it the
    /// application vouches for the host, whichever it is. The names of the clouds that are compiled in are found either
    /// way (MSAL.NET's `WithInstanceDiscovery`).
    pub fn instance_discovery(mut self, enabled: bool) -> Self {
        self.instance_discovery = enabled;
        self
    }

    /// Whether users may be at home in another cloud of Entra than that of the authority (MSAL's multi-cloud support); by
    /// default not. Then Entra may name that cloud at a sign-in, and if it is one that is compiled in, the code is redeemed
    /// there, the account is cached as one of that cloud, and its tokens are asked for there. Without it a cloud that a
    /// response names is ignored.
    pub fn multi_cloud_support(mut self, enabled: bool) -> Self {
        self.multi_cloud = enabled;
        self
    }

    /// Where tokens are kept between processes; by default nowhere.
    pub fn storage(self, storage: impl Storage) -> Self {
        self.cache(TokenCache::new(storage))
    }

    /// Where tokens are kept, each user's as a value of its own, for applications with many users on many machines; by default
    /// nowhere.
    pub fn partitioned_storage(self, storage: impl PartitionedStorage) -> Self {
        self.cache(TokenCache::partitioned(storage))
    }

    /// The cache itself, in place of one over a [`storage`](Self::storage): to share it with other clients, to give it
    /// limits, to hear of its own [events](TokenCache::on_event), or to keep its content oneself:
    ///
    /// ```
    /// use std::sync::Arc;
    /// use auth::{InMemoryTransport, PublicClient, TokenCache};
    ///
    /// let cache = Arc::new(TokenCache::in_memory());
    /// let app = PublicClient::builder("my-client-id")
    ///     .cache(Arc::clone(&cache))
    ///     .transport(InMemoryTransport::new(|_| Ok(Default::default())))
    ///     .build()?;
    /// let kept = cache.to_json();
    /// # Ok::<(), auth::AuthError>(())
    /// ```
    pub fn cache(mut self, cache: impl Into<Arc<TokenCache>>) -> Self {
        self.cache = Some(cache.into());
        self
    }

    /// How much time a token must have left to be handed out, and to be handed out without a refresh; by default 30 s and
    /// 5 min.
    pub fn margins(mut self, margins: Margins) -> Self {
        self.margins = margins;
        self
    }

    /// The HTTP stack; by default reqwest, where its feature is on.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// What shows the sign-in page; by default the user's own browser, where its feature is on.
    pub fn browser(mut self, browser: impl Browser + 'static) -> Self {
        self.browser = Some(Arc::new(browser));
        self
    }

    /// The broker of the operating system, which signs people in before any browser is opened; by default there is none.
    pub fn broker(mut self, broker: impl Broker + 'static) -> Self {
        self.broker = Some(Arc::new(broker));
        self
    }

    /// One more web origin whose pages may post the response, for a provider whose sign-in pages stand on another host than
    /// its authorization endpoint (S-18). It is written as browsers send it: `https://host`, and the port where it is not
    /// 443. Microsoft's own hosts are known.
    pub fn sign_in_origin(mut self, origin: impl Into<String>) -> Self {
        self.sign_in_origins.push(origin.into());
        self
    }

    /// What the browser is shown when the sign-in page has sent it back; by default our own pages, without a name.
    ///
    /// ```
    /// use auth::{Branding, Pages, PublicClient};
    ///
    /// let branding = Branding::new("Contoso Notes")?.accent("#0f6cbd")?;
    /// let builder = PublicClient::builder("my-client-id").pages(Pages::branded(&branding));
    /// # Ok::<(), auth::PagesError>(())
    /// ```
    pub fn pages(mut self, pages: Pages) -> Self {
        self.pages = pages;
        self
    }

    /// The clock; by default the system's.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How far the clock of this machine and that of the identity provider may be apart in the times of an id_token; five
    /// minutes by default, ten at most.
    pub fn clock_skew(mut self, skew: Duration) -> Self {
        self.clock_skew = Some(skew);
        self
    }

    /// Tells `observe` what happens beside the calls. It is called by whoever causes the event, should be quick, and must not
    /// panic.
    ///
    /// ```
    /// use auth::{Event, PublicClient};
    ///
    /// let builder = PublicClient::builder("my-client-id").on_event(|event| match event {
    ///     Event::InteractionHint { ui, .. } => println!("you will have to sign in soon: {ui}"),
    ///     Event::ClockSkew { delta } => println!("your clock is wrong, probably by {delta} s"),
    ///     _ => {}
    /// });
    /// ```
    pub fn on_event(mut self, observe: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.observer = Observer::new(observe);
        self
    }

    /// The name and version of the application, which the identity provider writes to its logs.
    pub fn application(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.name = Some((name.into(), version.into()));
        self
    }

    /// What the application can do beyond the protocol, told to the identity provider in the `claims` of every request;
    /// by default nothing. `cp1` promises that it answers claims challenges as [`ClaimsChallenge`](crate::ClaimsChallenge)
    /// shows, and gets tokens of continuous access evaluation from Entra. What is in the cache goes on serving.
    pub fn capabilities(mut self, capabilities: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.capabilities = capabilities.into_iter().map(Into::into).collect();
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`ConfigError::ClientId`], [`ConfigError::Capability`] or [`ConfigError::ApplicationName`] for values that cannot be
    /// sent, [`ConfigError::Authority`] when a known authority is not a DNS name, or several clouds are wished of an
    /// authority that is not Entra's, [`ConfigError::ClockSkew`] when it is more than ten minutes,
    /// [`ConfigError::Origin`] when a sign-in origin is not written as browsers send it,
    /// [`ConfigError::Missing`] when there is no transport because feature `reqwest` is off and none was given.
    pub fn build(self) -> Result<PublicClient, ConfigError> {
        let mut application = Application::new(ClientId::new(self.client_id)?).with_capabilities(self.capabilities)?;
        if let Some((name, version)) = self.name {
            application = application.with_name(name, version)?;
        }
        if let Some(skew) = self.clock_skew {
            application = application.with_clock_skew(skew)?;
        }
        let authority = match self.authority {
            Some(authority) => authority,
            None => Authority::tenant("common")?,
        };
        let authority = authority.known_among(&self.known_authorities)?;
        let authority = if self.instance_discovery { authority } else { authority.as_known() };
        if self.multi_cloud && authority.in_every_cloud().len() < 2 {
            return Err(ConfigError::Authority("only Entra has several clouds"));
        }
        if self.sign_in_origins.iter().any(|origin| !is_web_origin(origin)) {
            return Err(ConfigError::Origin);
        }
        let transport = self.transport.or_else(default_transport).ok_or(NO_TRANSPORT)?;
        let observer = self.observer.clone();
        let watch = ClockSkewWatch::new(transport, Arc::clone(&self.clock), move |delta| {
            observer.tell(&Event::ClockSkew { delta });
        });
        Ok(PublicClient::new(Shared {
            application,
            directory: Directory::new(authority),
            cache: self.cache.unwrap_or_else(|| Arc::new(TokenCache::in_memory())),
            margins: self.margins,
            driver: Driver::new(Arc::new(watch), self.clock),
            browser: self.browser.or_else(default_browser),
            broker: self.broker,
            sign_in_origins: self.sign_in_origins,
            pages: self.pages,
            flights: Flights::default(),
            turns: Turns::default(),
            sign_ins: tokio::sync::Mutex::default(),
            redeemed: Redeemed::default(),
            throttle: Throttle::default(),
            observer: self.observer,
            #[cfg(feature = "jwks")]
            jwks: crate::jwks::PublishedKeys::default(),
            multi_cloud: self.multi_cloud,
        }))
    }
}

impl fmt::Debug for PublicClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicClientBuilder")
            .field("client_id", &self.client_id)
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "reqwest")]
fn default_transport() -> Option<Arc<dyn DynTransport>> {
    Some(Arc::new(auth_http::ReqwestTransport::new()))
}

#[cfg(not(feature = "reqwest"))]
fn default_transport() -> Option<Arc<dyn DynTransport>> {
    None
}

#[cfg(feature = "system-browser")]
fn default_browser() -> Option<Arc<dyn DynBrowser>> {
    Some(Arc::new(auth_interactive::SystemBrowser::new()))
}

#[cfg(not(feature = "system-browser"))]
fn default_browser() -> Option<Arc<dyn DynBrowser>> {
    None
}
