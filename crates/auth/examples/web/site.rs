//! The pages, and the session of each visitor.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use auth::{
    Account, AuthError, AuthResult, AuthorizationResponse, PublicClient, RedirectUri, ResponseMode, Scopes, Secret,
};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, REFERRER_POLICY};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use maud::html;

/// The application.
pub(crate) struct Site {
    pub(crate) app: PublicClient,
    pub(crate) scopes: Scopes,
    pub(crate) redirect_uri: RedirectUri,
}

/// A visitor's session. It is kept on the server; the browser has only its name.
enum Session {
    /// The visitor is at the provider's sign-in page. The pending sign-in is secret.
    SigningIn(Secret),
    SignedIn(Box<Account>),
}

const COOKIE: &str = "session";

struct Server {
    site: Site,
    /// In production, keep sessions in a store that all processes share, and delete old ones.
    sessions: Mutex<HashMap<String, Session>>,
}

impl Site {
    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/", get(home))
            .route("/sign-in", get(sign_in))
            .route("/signed-in", get(signed_in))
            .route("/sign-out", post(sign_out))
            .with_state(Arc::new(Server { site: self, sessions: Mutex::default() }))
    }
}

impl Server {
    /// Creates a session with an unguessable name. Each step gets a new one, which prevents session fixation: a name
    /// planted before the sign-in is useless after it.
    fn begin(&self, session: Session) -> Cookie<'static> {
        let name = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        self.sessions().insert(name.clone(), session);
        Cookie::build((COOKIE, name))
            .path("/")
            // Not readable by scripts.
            .http_only(true)
            // Sent when the provider redirects the visitor back, but not with a form that another site posts.
            .same_site(SameSite::Lax)
            // Only over https, except on a loopback address.
            .secure(self.site.redirect_uri.loopback_host().is_none())
            .build()
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the session, so that a second request finds none.
    fn take(&self, jar: &CookieJar) -> Option<Session> {
        self.sessions().remove(jar.get(COOKIE)?.value())
    }

    fn account(&self, jar: &CookieJar) -> Option<Account> {
        match self.sessions().get(jar.get(COOKIE)?.value())? {
            Session::SignedIn(account) => Some(Account::clone(account)),
            Session::SigningIn(_) => None,
        }
    }
}

/// `GET /`: gets the visitor's token for each request, from the cache or with the refresh token.
async fn home(State(server): State<Arc<Server>>, jar: CookieJar) -> Response {
    let Some(account) = server.account(&jar) else { return welcome() };
    match server.site.app.acquire_token_silent(&server.site.scopes, Some(&account)).send().await {
        Ok(token) => hello(&account, &token),
        // The refresh token no longer works, or the provider requires the user: the visitor signs in again.
        Err(AuthError::UiRequired(_)) => welcome(),
        Err(error) => problem(StatusCode::BAD_GATEWAY, &error.to_string()),
    }
}

/// `GET /sign-in`: sends the visitor to the provider.
async fn sign_in(State(server): State<Arc<Server>>, jar: CookieJar) -> Response {
    let site = &server.site;
    let request = site.app.authorization_url(&site.scopes).redirect_uri(site.redirect_uri.clone());
    // By default the provider's page posts the response here as a form. Browsers send no `SameSite=Lax` cookie with it,
    // so the session would not be found; a `SameSite=None; Secure` cookie would need https, and protection against
    // forged requests everywhere else. So request the response in the query of a redirect.
    match request.response_mode(ResponseMode::Query).send().await {
        Ok(pending) => {
            let session = server.begin(Session::SigningIn(pending.to_json()));
            (jar.add(session), Redirect::to(&pending.url().to_string())).into_response()
        }
        Err(error) => problem(StatusCode::BAD_GATEWAY, &error.to_string()),
    }
}

/// `GET /signed-in`: the visitor returns from the provider.
async fn signed_in(State(server): State<Arc<Server>>, jar: CookieJar, RawQuery(query): RawQuery) -> Response {
    let Some(Session::SigningIn(kept)) = server.take(&jar) else {
        return problem(StatusCode::BAD_REQUEST, "no sign-in is pending; it may be complete already");
    };
    match server.site.redeem(kept, &query.unwrap_or_default()).await {
        Ok(token) => match token.account() {
            // The redirect removes the code from the address bar.
            Some(account) => {
                let session = server.begin(Session::SignedIn(Box::new(account.clone())));
                (jar.add(session), Redirect::to("/")).into_response()
            }
            None => problem(StatusCode::BAD_GATEWAY, "the provider does not say who signed in"),
        },
        Err(error) => problem(StatusCode::FORBIDDEN, &error.to_string()),
    }
}

impl Site {
    async fn redeem(&self, kept: Secret, query: &str) -> Result<AuthResult, AuthError> {
        let response = AuthorizationResponse::parse(query.as_bytes())?;
        self.app.acquire_token_by_authorization_code(kept, response).send().await
    }
}

/// `POST /sign-out`: removes the session, the account and its tokens. A form posted by another site would carry no
/// cookie.
async fn sign_out(State(server): State<Arc<Server>>, jar: CookieJar) -> Response {
    if let Some(Session::SignedIn(account)) = server.take(&jar)
        && let Err(error) = server.site.app.remove_account(&account).await
    {
        return problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string());
    }
    (jar.remove(Cookie::build(COOKIE).path("/")), Redirect::to("/")).into_response()
}

fn hello(account: &Account, token: &AuthResult) -> Response {
    page(&html! {
        p { "Signed in as " b { (account.username) } "." }
        p { "A token for " (token.scopes()) " from " (format!("{:?}", token.source())) "." }
        form method="post" action="/sign-out" { button { "Sign out" } }
    })
}

fn welcome() -> Response {
    page(&html! { p { "Nobody is signed in." } p { a href="/sign-in" { "Sign in" } } })
}

fn problem(status: StatusCode, text: &str) -> Response {
    (status, page(&html! { p { "Not signed in: " (text) "." } p { a href="/sign-in" { "Try again" } } }))
        .into_response()
}

/// Maud escapes all text.
fn page(body: &maud::Markup) -> Response {
    let page = html! { (maud::DOCTYPE) html lang="en" { head { title { "Web example" } } body { (body) } } };
    ([(CACHE_CONTROL, "no-store"), (REFERRER_POLICY, "no-referrer")], Html(page.into_string())).into_response()
}
