//! When a broker is asked, for what, and how its answers are used.

use std::sync::{Arc, Mutex};

use auth::{
    Account, AuthError, Broker, BrokerRequest, BrokerTokens, Claims, Event, Prompt, ProtocolError, Scopes, Secret,
    Timestamp, TokenSource, UiReason, UiRequired,
};

use crate::provider::{Provider, Reply};
use crate::scene::{NOW, Scene, TENANT, Times, account, kind, scopes};

/// What the broker answers.
#[derive(Clone, Copy, PartialEq)]
enum Says {
    Token,
    /// A token for an account other than the requested one.
    TokenOfAnother,
    NotMine,
    Interact,
    Fails,
}

/// A broker that knows `u7`, and logs its requests. Clones share the log.
#[derive(Clone)]
struct Fake {
    silent: Says,
    interactive: Says,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    fn new(silent: Says, interactive: Says) -> Self {
        Self { silent, interactive, asked: Arc::default() }
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    fn answer(&self, how: &str, says: Says, request: &BrokerRequest<'_>) -> Result<Option<BrokerTokens>, AuthError> {
        let id = request.account.map_or("anybody", |account| account.home_account_id.as_str());
        let id = id.split('.').next().unwrap();
        let more = [
            request.claims.map(|claims| claims.as_str().to_owned()),
            request.login_hint.map(str::to_owned),
            request.prompt.map(|prompt| prompt.to_string()),
            request.force_refresh.then(|| "forced".to_owned()),
        ];
        let more: String = more.into_iter().flatten().map(|more| format!(" {more}")).collect();
        assert!(request.authority.to_string().ends_with(TENANT));
        assert_eq!(request.client_id, crate::scene::CLIENT);
        let shown = format!("{request:?}");
        assert!(!shown.contains("contoso.example") && !shown.contains("u0"), "{shown}");
        self.asked.lock().unwrap().push(format!("{how} {id} {}{more}", request.scopes));
        let tokens = |account: Account| {
            let expires_on = Timestamp::from_unix_seconds(NOW + 600);
            BrokerTokens::new(Secret::new("brokered".to_owned()), expires_on, account)
        };
        match says {
            Says::Token => Ok(Some(tokens(request.account.cloned().unwrap_or_else(|| account(7))))),
            Says::TokenOfAnother => Ok(Some(tokens(account(9)))),
            Says::NotMine => Ok(None),
            Says::Interact => {
                let ui = UiRequired::local(UiReason::NoTokensFound, request.correlation_id);
                Err(ui.with_login_hint("u7@contoso.example").into())
            }
            Says::Fails => Err(ProtocolError::TokenType.into()),
        }
    }
}

impl Broker for Fake {
    async fn accounts(&self) -> Vec<Account> {
        vec![account(0), account(7)]
    }

    async fn acquire_token_silent(&self, request: &BrokerRequest<'_>) -> Result<Option<BrokerTokens>, AuthError> {
        tokio::task::yield_now().await;
        self.answer("silent", self.silent, request)
    }

    async fn acquire_token_interactive(&self, request: &BrokerRequest<'_>) -> Result<Option<BrokerTokens>, AuthError> {
        self.answer("interactive", self.interactive, request)
    }

    async fn remove_account(&self, account: &Account) -> Result<bool, AuthError> {
        self.asked.lock().unwrap().push(format!("remove {}", account.username));
        Ok(account.username == "u7@contoso.example")
    }
}

async fn scene(times: Times, broker: &Fake) -> Scene {
    Scene::new(2, times, Provider::new(Reply::tokens)).await.with_broker(broker.clone()).0
}

#[tokio::test]
async fn the_broker_answers_if_the_cache_has_no_token() {
    let broker = Fake::new(Says::Token, Says::Fails);
    let scene = scene(Times::EXPIRED, &broker).await;
    let before = scene.refresh_token(0).await;
    let result = scene.silent(0).await.unwrap();
    assert_eq!((result.source(), result.access_token().expose()), (TokenSource::Broker, "brokered"));
    assert_eq!((result.persisted(), result.token_endpoint()), (false, None));
    assert_eq!(result.expires_on().as_unix_seconds(), NOW + 600);
    assert_eq!((result.account(), result.scopes()), (Some(&account(0)), &scopes()));
    assert_eq!(broker.asked(), ["silent u0 User.Read"]);
    // The token is not cached: the broker is asked again, and the cache is unchanged.
    assert_eq!(scene.silent(0).await.unwrap().source(), TokenSource::Broker);
    assert_eq!((broker.asked().len(), scene.provider.count()), (1, 0));
    assert_eq!(scene.refresh_token(0).await, before);
    // The broker is told to bypass its cache, too.
    assert_eq!(scene.forced().await.unwrap().source(), TokenSource::Broker);
    let (wanted, ada) = (scopes(), account(0));
    let claims = Claims::parse("{}").unwrap();
    scene.app.acquire_token_silent(&wanted, Some(&ada)).claims(claims).send().await.unwrap();
    assert_eq!(broker.asked(), ["silent u0 User.Read forced", "silent u0 User.Read {}"]);
}

#[tokio::test]
async fn a_usable_cached_token_is_returned_without_asking_the_broker() {
    let broker = Fake::new(Says::Fails, Says::Fails);
    let scene = scene(Times::GOOD, &broker).await;
    assert_eq!(scene.silent(0).await.unwrap().source(), TokenSource::Cache);
    let (wanted, name) = (scopes(), "u1");
    let named = scene.app.acquire_token_silent(&wanted, None).login_hint(name).send().await.unwrap();
    assert_eq!((named.source(), broker.asked().len()), (TokenSource::Cache, 0));
    // A forced call gets the broker's answer.
    assert!(matches!(scene.forced().await, Err(AuthError::Protocol(_))));
}

// R-31
#[tokio::test]
async fn a_valid_token_is_returned_if_the_broker_fails() {
    let broker = Fake::new(Says::Fails, Says::Fails);
    let scene = Scene::new(1, Times { expires: 120, refresh: None }, Provider::new(Reply::tokens)).await;
    let (scene, heard) = scene.with_broker(broker.clone());
    assert_eq!(scene.silent(0).await.unwrap().source(), TokenSource::Cache);
    assert_eq!((broker.asked().len(), scene.provider.count()), (1, 0));
    assert!(matches!(&heard.lock().unwrap()[..], [Event::RefreshFailed { .. }]));
    // The broker is not asked for half a minute, like a provider.
    for (later, asked) in [(1, 0), (28, 0), (1, 1)] {
        scene.wait(later);
        assert_eq!(scene.silent(0).await.unwrap().source(), TokenSource::Cache);
        assert_eq!(broker.asked().len(), asked, "{later}");
    }
}

#[tokio::test]
async fn a_request_that_the_broker_does_not_serve_continues_without_it() {
    let broker = Fake::new(Says::NotMine, Says::NotMine);
    let scene = scene(Times::EXPIRED, &broker).await;
    let result = scene.silent(0).await.unwrap();
    assert_eq!((result.source(), result.persisted()), (TokenSource::IdentityProvider, true));
    assert_eq!(kind(&scene.silent(7).await), "no_tokens_found");
    let ended = scene.app.acquire_token_interactive(&scopes()).prompt(Prompt::Login).send().await;
    assert!(matches!(ended, Err(AuthError::Browser(_))), "{ended:?}");
    let asked = ["silent u0 User.Read", "silent u7 User.Read", "interactive anybody User.Read login"];
    assert_eq!(broker.asked(), asked);
}

#[tokio::test]
async fn interaction_required_leads_back_to_the_broker() {
    let broker = Fake::new(Says::Interact, Says::Token);
    let scene = scene(Times::EXPIRED, &broker).await;
    let (wanted, ada) = (scopes(), account(0));
    let claims = Claims::parse(r#"{"a":1}"#).unwrap();
    let silent = scene.app.acquire_token_silent(&wanted, Some(&ada)).claims(claims).send().await;
    let Err(AuthError::UiRequired(ui)) = silent else { panic!("{silent:?}") };
    let result = scene.app.acquire_token_interactive(&wanted).satisfying(&ui).send().await.unwrap();
    assert_eq!((result.source(), result.account()), (TokenSource::Broker, Some(&account(7))));
    assert_eq!(result.correlation_id(), ui.correlation_id);
    let asked = [r#"silent u0 User.Read {"a":1}"#, r#"interactive anybody User.Read {"a":1} u7@contoso.example"#];
    assert_eq!(broker.asked(), asked);
    // The same in one call, in a spawned task.
    let app = scene.app.clone();
    let task = tokio::spawn(async move { app.acquire_token(&scopes()).account(&account(0)).send().await });
    let result = task.await.unwrap().unwrap();
    assert_eq!((result.source(), scene.provider.count()), (TokenSource::Broker, 0));
    assert_eq!(broker.asked(), ["silent u0 User.Read", "interactive u0 User.Read u0@contoso.example"]);
}

// S-86
#[tokio::test]
async fn tokens_of_another_account_are_rejected() {
    let broker = Fake::new(Says::TokenOfAnother, Says::TokenOfAnother);
    let scene = scene(Times::EXPIRED, &broker).await;
    let interactive = scene.app.acquire_token_interactive(&scopes()).account(&account(0)).send().await;
    for ended in [scene.silent(0).await, interactive] {
        assert!(matches!(ended, Err(AuthError::UserMismatch)), "{ended:?}");
    }
}

// Like MSAL.NET: this device's broker does not know sign-ins on other devices.
#[tokio::test]
async fn the_broker_is_not_asked_about_an_account_that_signed_in_with_a_device_code() {
    let broker = Fake::new(Says::Token, Says::Token);
    let scene = scene(Times::EXPIRED, &broker).await;
    let (wanted, mut ada) = (scopes(), account(0));
    ada.source = Some("device_code_flow".to_owned());
    let result = scene.app.acquire_token_silent(&wanted, Some(&ada)).send().await.unwrap();
    assert_eq!((result.source(), broker.asked().len()), (TokenSource::IdentityProvider, 0));
}

#[tokio::test]
async fn simultaneous_calls_share_one_request_to_the_broker() {
    let broker = Fake::new(Says::Token, Says::Fails);
    let scene = scene(Times::EXPIRED, &broker).await;
    let answers = scene.at_once(100, async |scene: Scene, _| scene.silent(7).await).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().access_token().expose() == "brokered"));
    assert_eq!(broker.asked(), ["silent u7 User.Read"]);
}

#[tokio::test]
async fn the_brokers_accounts_are_listed_and_removed() {
    let broker = Fake::new(Says::Token, Says::Fails);
    let scene = scene(Times::EXPIRED, &broker).await;
    let names = |accounts: Vec<Account>| accounts.into_iter().map(|account| account.username).collect::<Vec<_>>();
    assert_eq!(names(scene.app.accounts().await.unwrap()), ["u0", "u1", "u7@contoso.example"]);
    let found = scene.app.account("u7@contoso.example").await.unwrap().unwrap();
    let wanted = Scopes::parse("Mail.Read").unwrap();
    let named = scene.app.acquire_token_silent(&wanted, None).login_hint("u7@contoso.example").send().await;
    assert_eq!(named.unwrap().account(), Some(&found));
    assert!(scene.app.remove_account(&found).await.unwrap());
    assert!(scene.app.remove_account(&account(1)).await.unwrap(), "it was in the cache");
    assert!(!scene.app.remove_account(&account(1)).await.unwrap());
    let asked =
        ["silent u7 Mail.Read", "remove u7@contoso.example", "remove u1@contoso.example", "remove u1@contoso.example"];
    assert_eq!(broker.asked(), asked);
}

#[test]
fn debug_output_of_broker_tokens_is_redacted() {
    let tokens = BrokerTokens::new(Secret::new("canary".to_owned()), Timestamp::EPOCH, account(0));
    let shown = format!("{tokens:?}");
    assert!(!shown.contains("canary") && !shown.contains("u0"), "{shown}");
}
