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

/// The port that is forwarded over SSH, unless the redirect URI names another.
const FORWARDED_PORT: u16 = 8400;

pub(crate) async fn run(args: TokenArgs) -> Result<(), Failure> {
    let parsed = Parsed::read(&args)?;
    let client = args.app.client()?.capabilities(&args.capabilities);
    let browser = TerminalBrowser::new();
    let client = client.browser(browser.clone()).build()?;
    let result = acquire(&client, &browser, &args, &parsed).await;
    // A refresh in the background may be about to save a rotated refresh token.
    client.close().await;
    let result = result.map_err(|failure| failure.with_correlation_id(parsed.correlation_id))?;
    print_token(&result, args.output, SystemClock.now());
    Ok(())
}

/// The flags whose values have a syntax of their own.
struct Parsed {
    correlation_id: CorrelationId,
    scopes: Scopes,
    claims: Option<Claims>,
    extra_scopes: Option<Scopes>,
    redirect_uri: Option<RedirectUri>,
}

impl Parsed {
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

/// Parses a redirect URI at which this program can receive the response.
fn loopback(text: &str) -> Result<RedirectUri, ConfigError> {
    let uri = RedirectUri::parse(text)?;
    match uri.loopback_host() {
        Some(_) => Ok(uri),
        None => Err(ConfigError::RedirectUri("it is not a loopback address; use http://localhost")),
    }
}

/// The account that the call is for.
enum Selected {
    /// This cached account.
    Cached(Account),
    /// The account of this name, which is not cached.
    Named(String),
    /// The only cached account, or whoever signs in.
    Any,
}

async fn acquire(
    client: &PublicClient,
    browser: &TerminalBrowser,
    args: &TokenArgs,
    parsed: &Parsed,
) -> Result<AuthResult, Failure> {
    let selected = select(client, args).await?;
    if args.needs_sign_in() {
        return sign_in(client, browser, args, parsed, &selected, None).await;
    }
    match silent(client, args, parsed, &selected).await {
        Err(AuthError::UiRequired(ui)) if !args.silent => {
            terminal::say_sentence(&ui);
            sign_in(client, browser, args, parsed, &selected, Some(&ui)).await
        }
        answer => Ok(answer?),
    }
}

/// Asks the user to sign in: with a browser; on another device, if requested or if no browser can be shown here; with a
/// browser of the user's choice, if requested or if nothing else is left.
async fn sign_in(
    client: &PublicClient,
    browser: &TerminalBrowser,
    args: &TokenArgs,
    parsed: &Parsed,
    selected: &Selected,
    ui: Option<&UiRequired>,
) -> Result<AuthResult, Failure> {
    let on_another_device = async |why: &[String]| {
        let request = device_code(client, args, parsed, selected);
        let request = ui.into_iter().fold(request, DeviceCodeRequest::satisfying);
        let intended = Intended { client_id: &args.app.client_id, user: user(args, selected) };
        device_code::sign_in(request, &intended, why).await
    };
    if args.device_code {
        return on_another_device(&[]).await.map_err(|failed| failed.error.into());
    }
    let request = interactive(client, args, parsed, selected);
    let request = ui.into_iter().fold(request, InteractiveRequest::satisfying);
    if args.no_browser {
        return Ok(by_hand(request, browser, parsed)?.send().await?);
    }
    let error = match request.clone().send().await {
        Err(AuthError::Browser(error)) if has_no_browser(&error) => error,
        answer => return Ok(answer?),
    };
    let instead = "Signing in on another device instead. (With --no-browser you can use a browser of your choice.)";
    let why = [terminal::sentence(&error), instead.to_owned()];
    let obstacle = match args.flag_unfit_for_device_code() {
        Some(flag) => format!("{flag} cannot be combined with a device code"),
        None => match on_another_device(&why).await {
            Ok(result) => return Ok(result),
            Err(failed) if failed.was_shown => return Err(failed.error.into()),
            Err(failed) => failed.error.to_string(),
        },
    };
    let obstacle = format!("Signing in on another device is not possible: {obstacle}.");
    if !Pasted::is_possible() {
        terminal::say(obstacle);
        return Err(AuthError::Browser(error).into());
    }
    terminal::say_sentence(&error);
    terminal::say(obstacle);
    terminal::say("Signing in with a browser of your choice instead.");
    Ok(by_hand(request, browser, parsed)?.send().await?)
}

/// Prepares the request for a user who opens the URL in any browser. Over SSH the port is fixed, so that it can be
/// forwarded beforehand; at a terminal the response comes in a URL, which can be pasted.
fn by_hand(
    request: InteractiveRequest,
    browser: &TerminalBrowser,
    parsed: &Parsed,
) -> Result<InteractiveRequest, ConfigError> {
    let request = if Pasted::is_possible() { request.response_mode(ResponseMode::Query) } else { request };
    if !browser.is_over_ssh() {
        browser.leave_to_user(ByHand { tunnel: None });
        return Ok(request);
    }
    let uri = match &parsed.redirect_uri {
        Some(uri) => uri.clone(),
        None => RedirectUri::parse("http://localhost")?,
    };
    let port = uri.port().unwrap_or(FORWARDED_PORT);
    browser.leave_to_user(ByHand { tunnel: Some(port) });
    Ok(request.redirect_uri(uri.with_port(port)))
}

/// Whether there is no browser here, as opposed to one that must not or cannot be used as configured.
fn has_no_browser(error: &SignInError) -> bool {
    matches!(error, SignInError::Browser(BrowserError::Headless(_) | BrowserError::System(_)))
}

/// Finds the account that the call is for. If several match, lists them and fails.
async fn select(client: &PublicClient, args: &TokenArgs) -> Result<Selected, Failure> {
    let name = args.account.as_deref().or(args.login_hint.as_deref());
    // A cache that cannot be read does not prevent a sign-in; the library warns.
    let accounts = client.accounts().await.unwrap_or_default();
    let matches = |account: &Account| {
        name.is_none_or(|name| account.is_named(name))
            && args.user_flow.as_ref().is_none_or(|user_flow| account.is_of_user_flow(user_flow))
    };
    let mut matching: Vec<_> = accounts.into_iter().filter(matches).collect();
    match (matching.len(), name) {
        (0, Some(name)) => Ok(Selected::Named(name.to_owned())),
        (0, None) => Ok(Selected::Any),
        // The user who signs in decides, not the one who did before.
        (_, None) if args.needs_sign_in() => Ok(Selected::Any),
        (1, _) => Ok(matching.pop().map_or(Selected::Any, Selected::Cached)),
        (_, _) => {
            let names: Vec<_> = matching.iter().map(display_name).collect();
            terminal::say(format_args!("auth: matching accounts: {}", names.join(", ")));
            Err(Failure::several_accounts(name.is_some()))
        }
    }
}

/// Sets the options that all kinds of requests have in common: the builders share setters, but no trait.
macro_rules! with_options {
    ($request:expr, $args:expr, $parsed:expr) => {{
        let mut request = $request.correlation_id($parsed.correlation_id);
        if let Some(claims) = &$parsed.claims {
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
    parsed: &Parsed,
    selected: &Selected,
) -> Result<AuthResult, AuthError> {
    let account = match selected {
        Selected::Cached(account) => Some(account),
        Selected::Named(_) | Selected::Any => None,
    };
    let request = client.acquire_token_silent(&parsed.scopes, account).force_refresh(args.force_refresh);
    let mut request = with_options!(request, args, parsed);
    if let Selected::Named(name) = selected {
        request = request.login_hint(name);
    }
    request.send().await
}

fn interactive(client: &PublicClient, args: &TokenArgs, parsed: &Parsed, selected: &Selected) -> InteractiveRequest {
    let mut request = with_options!(client.acquire_token_interactive(&parsed.scopes), args, parsed);
    if let Some(hint) = &args.login_hint {
        request = request.login_hint(hint);
    }
    match pinned(args, selected) {
        Some(Pinned::Account(account)) => request = request.account(&account),
        Some(Pinned::Name(name)) => request = request.login_hint(name),
        None => {}
    }
    if let Some(prompt) = args.prompt {
        request = request.prompt(prompt);
    }
    if let Some(uri) = &parsed.redirect_uri {
        request = request.redirect_uri(uri.clone());
    }
    if let Some(timeout) = args.timeout {
        request = request.timeout(timeout);
    }
    if let Some(domain) = &args.page.domain_hint {
        request = request.domain_hint(domain);
    }
    if let Some(scopes) = &parsed.extra_scopes {
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

fn device_code(client: &PublicClient, args: &TokenArgs, parsed: &Parsed, selected: &Selected) -> DeviceCodeRequest {
    let mut request = with_options!(client.acquire_token_by_device_code(&parsed.scopes), args, parsed);
    if let Some(Pinned::Account(account)) = pinned(args, selected) {
        request = request.account(&account);
    }
    if let Some(timeout) = args.timeout {
        request = request.timeout(timeout);
    }
    request
}

/// Returns the name of the expected user, to show with a device code: its page cannot be told who is expected.
fn user<'a>(args: &'a TokenArgs, selected: &'a Selected) -> Option<&'a str> {
    args.login_hint.as_deref().or_else(|| match (selected, &args.account) {
        (Selected::Cached(account), Some(_)) => account.login_hint(),
        (Selected::Named(name), Some(_)) => Some(name),
        _ => None,
    })
}

/// The account that must sign in.
enum Pinned<'a> {
    /// This account and no other.
    Account(Box<Account>),
    /// An account of this name, which may be an alias of the one that signs in.
    Name(&'a str),
}

fn pinned<'a>(args: &TokenArgs, selected: &'a Selected) -> Option<Pinned<'a>> {
    match (selected, &args.account) {
        (Selected::Cached(account), Some(_)) => Some(Pinned::Account(Box::new(account.clone()))),
        (Selected::Named(name), Some(_)) if name.contains('@') => Some(Pinned::Name(name)),
        (Selected::Named(id), Some(_)) => {
            Some(Pinned::Account(Box::new(Account::new(AccountId::new(id.as_str()), "", ""))))
        }
        _ => None,
    }
}
