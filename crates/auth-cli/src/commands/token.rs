//! `auth token`.

use auth::{
    Account, AccountId, AuthError, AuthResult, BrowserError, Claims, Clock as _, ConfigError, CorrelationId,
    DeviceCodeRequest, InteractiveRequest, PublicClient, RedirectUri, ResponseMode, Scopes, SignInError, SystemClock,
    UiRequired,
};
use rand::rngs::SysRng;

use crate::args::TokenArgs;
use crate::browser::{ByHand, TerminalBrowser};
use crate::device_code::{self, Intended};
use crate::failure::Failure;
use crate::output::{display_name, print_token};
use crate::pasted::Pasted;
use crate::terminal;

/// The port that a user who came over SSH forwards, unless another is named.
const FORWARDED_PORT: u16 = 8400;

pub(crate) async fn run(args: TokenArgs) -> Result<(), Failure> {
    let wishes = Wishes::read(&args)?;
    let client = args.app.client()?.capabilities(&args.capabilities);
    let browser = TerminalBrowser::new();
    let client = client.browser(browser.clone()).build()?;
    let result = acquire(&client, &browser, &args, &wishes).await;
    // A refresh beside the call may hold a rotated refresh token.
    client.close().await;
    let result = result.map_err(|failure| failure.with_correlation_id(wishes.correlation_id))?;
    print_token(&result, args.output, SystemClock.now());
    Ok(())
}

/// The values among the flags that have a form of their own.
struct Wishes {
    correlation_id: CorrelationId,
    scopes: Scopes,
    claims: Option<Claims>,
    extra_scopes: Option<Scopes>,
    redirect_uri: Option<RedirectUri>,
}

impl Wishes {
    fn read(args: &TokenArgs) -> Result<Self, Failure> {
        Ok(Self {
            correlation_id: CorrelationId::generate(&mut SysRng)?,
            scopes: scopes(&args.scope)?,
            extra_scopes: (!args.page.extra_scope.is_empty()).then(|| scopes(&args.page.extra_scope)).transpose()?,
            claims: args.claims.as_deref().map(Claims::parse).transpose()?,
            redirect_uri: args.redirect_uri.as_deref().map(loopback).transpose()?,
        })
    }
}

fn scopes(words: &[String]) -> Result<Scopes, ConfigError> {
    Scopes::new(words.iter().flat_map(|scopes| scopes.split_whitespace()))
}

/// A redirect URI at which this program can receive the answer.
fn loopback(text: &str) -> Result<RedirectUri, ConfigError> {
    let uri = RedirectUri::parse(text)?;
    match uri.loopback_host() {
        Some(_) => Ok(uri),
        None => Err(ConfigError::RedirectUri("it is no loopback address; use http://localhost")),
    }
}

/// Whom the call is for.
enum Whom {
    /// This account of the cache.
    Known(Account),
    /// The account of this name, which is not in the cache.
    Unknown(String),
    /// Whoever is alone in the cache, or signs in.
    Anybody,
}

async fn acquire(
    client: &PublicClient,
    browser: &TerminalBrowser,
    args: &TokenArgs,
    wishes: &Wishes,
) -> Result<AuthResult, Failure> {
    let whom = whom(client, args).await?;
    if args.needs_sign_in() {
        return sign_in(client, browser, args, wishes, &whom, None).await;
    }
    match silent(client, args, wishes, &whom).await {
        Err(AuthError::UiRequired(ui)) if !args.silent => {
            terminal::say(format_args!("{ui}."));
            sign_in(client, browser, args, wishes, &whom, Some(&ui)).await
        }
        answer => Ok(answer?),
    }
}

/// Asks the user: with a browser; on another device where that was wished or no browser can be shown here; with any browser
/// and the address of its last page where that was wished or is the last way that is left.
async fn sign_in(
    client: &PublicClient,
    browser: &TerminalBrowser,
    args: &TokenArgs,
    wishes: &Wishes,
    whom: &Whom,
    ui: Option<&UiRequired>,
) -> Result<AuthResult, Failure> {
    let on_another_device = async |why: &[String]| {
        let request = device_code(client, args, wishes, whom);
        let request = ui.into_iter().fold(request, DeviceCodeRequest::satisfying);
        let intended = Intended { client_id: &args.app.client_id, user: user(args, whom) };
        device_code::sign_in(request, &intended, why).await
    };
    if args.device_code {
        return on_another_device(&[]).await.map_err(|failed| failed.error.into());
    }
    let request = interactive(client, args, wishes, whom);
    let request = ui.into_iter().fold(request, InteractiveRequest::satisfying);
    if args.no_browser {
        return Ok(by_hand(request, browser, wishes)?.send().await?);
    }
    let error = match request.clone().send().await {
        Err(AuthError::Browser(error)) if nothing_to_show_it(&error) => error,
        answer => return Ok(answer?),
    };
    let instead = "Signing in on another device instead; --no-browser would take a browser of your choice.";
    let neither = match args.flag_of_the_page() {
        Some(flag) => format!("{flag} needs a sign-in page on this one"),
        None => match on_another_device(&[format!("{error}."), instead.to_owned()]).await {
            Ok(result) => return Ok(result),
            Err(failed) if failed.was_shown => return Err(failed.error.into()),
            Err(failed) => failed.error.to_string(),
        },
    };
    terminal::say(format_args!("A sign-in on another device is not available either: {neither}."));
    if !Pasted::is_possible() {
        return Err(AuthError::Browser(error).into());
    }
    terminal::say(format_args!("{error}."));
    terminal::say("Signing in with a browser of your choice instead.");
    Ok(by_hand(request, browser, wishes)?.send().await?)
}

/// The same request for a user who opens the address with any browser. Over SSH the port is one that can be forwarded
/// before; at a terminal the answer comes in an address, which can be pasted.
fn by_hand(
    request: InteractiveRequest,
    browser: &TerminalBrowser,
    wishes: &Wishes,
) -> Result<InteractiveRequest, ConfigError> {
    let request = if Pasted::is_possible() { request.response_mode(ResponseMode::Query) } else { request };
    if !browser.is_over_ssh() {
        browser.leave_to_user(ByHand { tunnel: None });
        return Ok(request);
    }
    let uri = match &wishes.redirect_uri {
        Some(uri) => uri.clone(),
        None => RedirectUri::parse("http://localhost")?,
    };
    let port = uri.port().unwrap_or(FORWARDED_PORT);
    browser.leave_to_user(ByHand { tunnel: Some(port) });
    Ok(request.redirect_uri(uri.with_port(port)))
}

/// Whether there is no browser here, rather than one that must not or could not be used as it was asked for.
fn nothing_to_show_it(error: &SignInError) -> bool {
    matches!(error, SignInError::Browser(BrowserError::Headless(_) | BrowserError::System(_)))
}

/// Finds the account that is meant. Several without a name are told, and nobody is picked.
async fn whom(client: &PublicClient, args: &TokenArgs) -> Result<Whom, Failure> {
    let name = args.account.as_deref().or(args.login_hint.as_deref());
    // A cache that cannot be read stops no sign-in; the library warns.
    let accounts = client.accounts().await.unwrap_or_default();
    let is_meant = |account: &Account| {
        name.is_none_or(|name| account.is_named(name))
            && args.user_flow.as_ref().is_none_or(|user_flow| account.is_of_user_flow(user_flow))
    };
    let mut meant: Vec<_> = accounts.into_iter().filter(is_meant).collect();
    match (meant.len(), name) {
        (0, Some(name)) => Ok(Whom::Unknown(name.to_owned())),
        (0, None) => Ok(Whom::Anybody),
        (1, Some(_)) => Ok(meant.pop().map_or(Whom::Anybody, Whom::Known)),
        // Who signs in decides, not who signed in before.
        (_, None) if args.needs_sign_in() => Ok(Whom::Anybody),
        (1, None) => Ok(meant.pop().map_or(Whom::Anybody, Whom::Known)),
        (_, _) => {
            let names: Vec<_> = meant.iter().map(display_name).collect();
            terminal::say(format_args!("auth: several accounts have signed in: {}", names.join(", ")));
            Err(Failure::several_accounts(name.is_some()))
        }
    }
}

/// A request with what every kind of request can be given: the builders have the setters in common, but no trait.
macro_rules! with_options {
    ($request:expr, $args:expr, $wishes:expr) => {{
        let mut request = $request.correlation_id($wishes.correlation_id);
        if let Some(claims) = &$wishes.claims {
            request = request.claims(claims.clone());
        }
        if let Some(name) = &$args.user_flow {
            request = request.user_flow(name);
        }
        for (name, value) in &$args.extra_query {
            request = request.extra_query_parameter(name, value);
        }
        request
    }};
}

async fn silent(
    client: &PublicClient,
    args: &TokenArgs,
    wishes: &Wishes,
    whom: &Whom,
) -> Result<AuthResult, AuthError> {
    let account = match whom {
        Whom::Known(account) => Some(account),
        Whom::Unknown(_) | Whom::Anybody => None,
    };
    let request = client.acquire_token_silent(&wishes.scopes, account).force_refresh(args.force_refresh);
    let mut request = with_options!(request, args, wishes);
    if let Whom::Unknown(name) = whom {
        request = request.login_hint(name);
    }
    request.send().await
}

fn interactive(client: &PublicClient, args: &TokenArgs, wishes: &Wishes, whom: &Whom) -> InteractiveRequest {
    let mut request = with_options!(client.acquire_token_interactive(&wishes.scopes), args, wishes);
    if let Some(hint) = &args.login_hint {
        request = request.login_hint(hint);
    }
    match pinned(args, whom) {
        Some(Pinned::Account(account)) => request = request.account(&account),
        Some(Pinned::Name(name)) => request = request.login_hint(name),
        None => {}
    }
    if let Some(prompt) = args.prompt {
        request = request.prompt(prompt);
    }
    if let Some(uri) = &wishes.redirect_uri {
        request = request.redirect_uri(uri.clone());
    }
    if let Some(timeout) = args.timeout {
        request = request.timeout(timeout);
    }
    if let Some(domain) = &args.page.domain_hint {
        request = request.domain_hint(domain);
    }
    if let Some(scopes) = &wishes.extra_scopes {
        request = request.extra_scopes_to_consent(scopes.clone());
    }
    if !args.page.acr_values.is_empty() {
        request = request.acr_values(args.page.acr_values.join(" "));
    }
    if let Some(max_age) = args.page.max_age {
        request = request.max_age(max_age);
    }
    request
}

fn device_code(client: &PublicClient, args: &TokenArgs, wishes: &Wishes, whom: &Whom) -> DeviceCodeRequest {
    let mut request = with_options!(client.acquire_token_by_device_code(&wishes.scopes), args, wishes);
    if let Some(Pinned::Account(account)) = pinned(args, whom) {
        request = request.account(&account);
    }
    if let Some(timeout) = args.timeout {
        request = request.timeout(timeout);
    }
    request
}

/// The name of whoever is expected to sign in, for a page that cannot be told.
fn user<'a>(args: &'a TokenArgs, whom: &'a Whom) -> Option<&'a str> {
    args.login_hint.as_deref().or_else(|| match (whom, &args.account) {
        (Whom::Known(account), Some(_)) => account.login_hint(),
        (Whom::Unknown(name), Some(_)) => Some(name),
        _ => None,
    })
}

/// Who must sign in.
enum Pinned<'a> {
    /// This account and no other.
    Account(Box<Account>),
    /// Somebody of this name, which may be an alias of the account that signs in.
    Name(&'a str),
}

fn pinned<'a>(args: &TokenArgs, whom: &'a Whom) -> Option<Pinned<'a>> {
    match (whom, &args.account) {
        (Whom::Known(account), Some(_)) => Some(Pinned::Account(Box::new(account.clone()))),
        (Whom::Unknown(name), Some(_)) if name.contains('@') => Some(Pinned::Name(name)),
        (Whom::Unknown(id), Some(_)) => {
            Some(Pinned::Account(Box::new(Account::new(AccountId::new(id.as_str()), "", ""))))
        }
        _ => None,
    }
}
