//! [`PublicClientBuilder`]: the configuration of a client.

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use auth_cache::{Margins, PartitionedStorage, Storage, TokenCache};
use auth_core::{Application, Authority, ClientId, ConfigError, is_web_origin};
use auth_http::{Clock, ClockSkewWatch, DynTransport, SystemClock, Transport};
use auth_interactive::{Browser, DynBrowser, Pages};

use crate::authorities::Authorities;
use crate::broker::{Broker, DynBroker};
use crate::client::PublicClient;
use crate::driver::Driver;
use crate::event::{Event, Observer};
use crate::flights::Flights;
use crate::redeemed::Redeemed;
use crate::shared::Shared;
use crate::throttle::Throttle;
use crate::turns::Turns;

const NO_TRANSPORT: ConfigError = ConfigError::Missing {
    part: "transport",
    remedy: "enable the feature `reqwest`, or set one with `.transport(..)`",
};

/// Configures a [`PublicClient`]; see [`PublicClient::builder`].
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
    /// Returns a builder for the client that is registered as `client_id`.
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
    /// Sets the authority that signs users in. The default is `common` in Entra's public cloud.
    pub fn authority(mut self, authority: Authority) -> Self {
        self.authority = Some(authority);
        self
    }

    /// Sets the hosts that the application vouches for, such as those of a private cloud: they are used even though
    /// Entra's public cloud does not know them (MSAL Node's `knownAuthorities`). Replaces any set before.
    pub fn known_authorities<S: Into<String>>(mut self, hosts: impl IntoIterator<Item = S>) -> Self {
        self.known_authorities = hosts.into_iter().map(Into::into).collect();
        self
    }

    /// Sets whether an authority host that is neither built in nor among the [known
    /// authorities](Self::known_authorities) must be confirmed by Entra before anything is sent to it (MSAL.NET's
    /// `WithInstanceDiscovery`). The default is `true`; with `false`, the application vouches for the host. The host
    /// names of the built-in clouds are known either way.
    pub fn instance_discovery(mut self, enabled: bool) -> Self {
        self.instance_discovery = enabled;
        self
    }

    /// Sets whether a user's home may be in an Entra cloud other than that of the authority (MSAL's multi-cloud
    /// support). The default is `false`. If enabled, Entra may name the user's cloud at sign-in; if it is a built-in
    /// one, the code is redeemed there, the account is cached for that cloud, and its tokens are requested there.
    /// Otherwise, a cloud named in a response is ignored.
    pub fn multi_cloud_support(mut self, enabled: bool) -> Self {
        self.multi_cloud = enabled;
        self
    }

    /// Sets the store that keeps tokens between processes. By default they are kept in memory only.
    pub fn storage(self, storage: impl Storage) -> Self {
        self.cache(TokenCache::new(storage))
    }

    /// Sets a store that keeps each user's tokens as a separate value, for applications with many users on many
    /// machines. By default tokens are kept in memory only.
    pub fn partitioned_storage(self, storage: impl PartitionedStorage) -> Self {
        self.cache(TokenCache::partitioned(storage))
    }

    /// Sets the cache itself, instead of a [`storage`](Self::storage): to share it with other clients, set limits,
    /// receive its [events](TokenCache::on_event), or persist its contents yourself:
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

    /// Sets how much lifetime a token must have left to be returned, and to be returned without a refresh. The defaults
    /// are 30 seconds and 5 minutes.
    pub fn margins(mut self, margins: Margins) -> Self {
        self.margins = margins;
        self
    }

    /// Sets the HTTP stack. The default is reqwest, if its feature is enabled.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Sets what shows the sign-in page. The default is the user's own browser, if its feature is enabled.
    pub fn browser(mut self, browser: impl Browser + 'static) -> Self {
        self.browser = Some(Arc::new(browser));
        self
    }

    /// Sets the operating system's broker, which is asked before a browser is opened. By default there is none.
    pub fn broker(mut self, broker: impl Broker + 'static) -> Self {
        self.broker = Some(Arc::new(broker));
        self
    }

    /// Adds a web origin whose pages may post the response, for a provider whose sign-in pages are on a different host
    /// than its authorization endpoint. Write it as browsers send it: `https://host`, with the port unless it is 443.
    /// Microsoft's own hosts are built in (S-18).
    pub fn sign_in_origin(mut self, origin: impl Into<String>) -> Self {
        self.sign_in_origins.push(origin.into());
        self
    }

    /// Sets the pages that the browser shows once the sign-in is over. The default is this library's pages, without an
    /// application name.
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

    /// Sets the clock. The default is the system's.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the clock skew tolerated when the times in an ID token are checked. The default is five minutes, the
    /// maximum ten.
    pub fn clock_skew(mut self, skew: Duration) -> Self {
        self.clock_skew = Some(skew);
        self
    }

    /// Calls `observe` for each event that happens outside a call. It runs on the task that causes the event, should
    /// return quickly, and must not panic.
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

    /// Sets the name and version of the application, which the identity provider writes to its logs.
    pub fn application(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.name = Some((name.into(), version.into()));
        self
    }

    /// Sets the client capabilities, which are sent in the `claims` of every request. By default there are none. `cp1`
    /// declares that the application answers claims challenges as [`ClaimsChallenge`](crate::ClaimsChallenge) shows;
    /// Entra then issues tokens for continuous access evaluation. Cached tokens remain usable.
    pub fn capabilities(mut self, capabilities: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.capabilities = capabilities.into_iter().map(Into::into).collect();
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    /// [`ConfigError::ClientId`], [`ConfigError::Capability`] or [`ConfigError::ApplicationName`] for a value that
    /// cannot be sent, [`ConfigError::Authority`] if a known authority is not a DNS name, or if multi-cloud support is
    /// enabled for an authority that is not Entra's, [`ConfigError::ClockSkew`] if it exceeds ten minutes,
    /// [`ConfigError::Origin`] if a sign-in origin is not written as browsers send it, [`ConfigError::Missing`] if no
    /// transport is set and the feature `reqwest` is disabled.
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
            return Err(ConfigError::Authority("multi-cloud support requires an Entra authority"));
        }
        if self.sign_in_origins.iter().any(|origin| !is_web_origin(origin)) {
            return Err(ConfigError::Origin);
        }
        let transport = self.transport.or_else(default_transport).ok_or(NO_TRANSPORT)?;
        let observer = self.observer.clone();
        let watch = ClockSkewWatch::new(transport, Arc::clone(&self.clock), move |delta| {
            observer.notify(&Event::ClockSkew { delta });
        });
        Ok(PublicClient::new(Shared {
            application,
            authorities: Authorities::new(authority),
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
