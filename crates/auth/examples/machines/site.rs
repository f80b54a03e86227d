//! The pages. Tokens and sessions are in Redis, so the machines hold no state of their own.

use std::sync::Arc;

use auth::{
    Account, AuthError, Authority, AuthorizationResponse, PublicClient, RedirectUri, RedisStorage, ResponseMode,
    Scopes, Secret, TokenSource,
};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use maud::html;
use redis::aio::MultiplexedConnection;
use redis::{Client, RedisResult};

type Failure = Box<dyn std::error::Error>;

/// The application on one machine.
pub(crate) struct Site {
    app: PublicClient,
    scopes: Scopes,
    redirect_uri: RedirectUri,
    sessions: Sessions,
}

impl Site {
    pub(crate) fn new(authority: &str, redis: &str, address: &str) -> Result<Self, Failure> {
        let app = PublicClient::builder("c0ffee00-0000-4000-8000-000000000001")
            .authority(Authority::parse(authority)?)
            .partitioned_storage(RedisStorage::at(redis)?.prefix("machines-tokens"))
            .build()?;
        Ok(Self {
            app,
            scopes: Scopes::parse("User.Read")?,
            redirect_uri: RedirectUri::parse(&format!("{address}/signed-in"))?,
            sessions: Sessions(Client::open(redis)?),
        })
    }

    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/", get(home))
            .route("/sign-in", get(sign_in))
            .route("/signed-in", get(signed_in))
            .route("/sign-out", post(sign_out))
            .with_state(Arc::new(self))
    }

    /// The signed-in account: the session contains its home account ID, the cache its details.
    async fn account(&self, jar: &CookieJar) -> Option<Account> {
        let id = self.sessions.look(jar.get(COOKIE)?.value()).await.ok()??;
        self.app.account(id.strip_prefix(SIGNED_IN)?).await.ok()?
    }
}

const COOKIE: &str = "session";
/// The prefix of a signed-in session; a pending sign-in is a JSON object.
const SIGNED_IN: &str = "id:";

/// The visitors' sessions, under unguessable names, for an hour each.
struct Sessions(Client);

impl Sessions {
    async fn keep(&self, session: &str) -> RedisResult<Cookie<'static>> {
        let name = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        redis::cmd("SET")
            .arg(key(&name))
            .arg(session)
            .arg("EX")
            .arg(3600)
            .exec_async(&mut self.connection().await?)
            .await?;
        Ok(Cookie::build((COOKIE, name)).path("/").http_only(true).same_site(SameSite::Lax).build())
    }

    async fn look(&self, name: &str) -> RedisResult<Option<String>> {
        redis::cmd("GET").arg(key(name)).query_async(&mut self.connection().await?).await
    }

    /// Removes the session, so that a second request finds none, on any machine.
    async fn take(&self, name: &str) -> RedisResult<Option<String>> {
        redis::cmd("GETDEL").arg(key(name)).query_async(&mut self.connection().await?).await
    }

    async fn connection(&self) -> RedisResult<MultiplexedConnection> {
        self.0.get_multiplexed_async_connection().await
    }
}

fn key(name: &str) -> String {
    format!("machines-session:{name}")
}

async fn home(State(site): State<Arc<Site>>, jar: CookieJar) -> Response {
    let Some(account) = site.account(&jar).await else { return welcome() };
    match site.app.acquire_token_silent(&site.scopes, Some(&account)).send().await {
        Ok(token) => {
            let from = if token.source() == TokenSource::Cache { "the cache" } else { "the provider" };
            page(&html! {
                p { "Signed in as " b { (account.username) } ", with a token from " (from) "." }
                form method="post" action="/sign-out" { button { "Sign out" } }
            })
        }
        Err(AuthError::UiRequired(_)) => welcome(),
        Err(error) => problem(StatusCode::BAD_GATEWAY, &error),
    }
}

async fn sign_in(State(site): State<Arc<Site>>, jar: CookieJar) -> Response {
    let request = site.app.authorization_url(&site.scopes).redirect_uri(site.redirect_uri.clone());
    let pending = match request.response_mode(ResponseMode::Query).send().await {
        Ok(pending) => pending,
        Err(error) => return problem(StatusCode::BAD_GATEWAY, &error),
    };
    match site.sessions.keep(pending.to_json().expose()).await {
        Ok(session) => (jar.add(session), Redirect::to(&pending.url().to_string())).into_response(),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error),
    }
}

async fn signed_in(State(site): State<Arc<Site>>, jar: CookieJar, RawQuery(query): RawQuery) -> Response {
    let name = jar.get(COOKIE).map(|cookie| cookie.value().to_owned()).unwrap_or_default();
    let Ok(Some(kept)) = site.sessions.take(&name).await else {
        return problem(StatusCode::BAD_REQUEST, &"no sign-in is pending; start again");
    };
    let redeemed = async {
        let response = AuthorizationResponse::parse(query.unwrap_or_default().as_bytes())?;
        site.app.acquire_token_by_authorization_code(Secret::new(kept), response).send().await
    };
    let token = match redeemed.await {
        Ok(token) => token,
        Err(error) => return problem(StatusCode::FORBIDDEN, &error),
    };
    let id = token.account().map(|account| account.home_account_id.as_str()).unwrap_or_default();
    match site.sessions.keep(&format!("{SIGNED_IN}{id}")).await {
        Ok(session) => (jar.add(session), Redirect::to("/")).into_response(),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error),
    }
}

async fn sign_out(State(site): State<Arc<Site>>, jar: CookieJar) -> Response {
    if let Some(account) = site.account(&jar).await
        && let Err(error) = site.app.remove_account(&account).await
    {
        return problem(StatusCode::INTERNAL_SERVER_ERROR, &error);
    }
    if let Some(cookie) = jar.get(COOKIE)
        && let Err(error) = site.sessions.take(cookie.value()).await
    {
        return problem(StatusCode::SERVICE_UNAVAILABLE, &error);
    }
    (jar.remove(Cookie::build(COOKIE).path("/")), Redirect::to("/")).into_response()
}

fn welcome() -> Response {
    page(&html! { p { "Nobody is signed in." } p { a href="/sign-in" { "Sign in" } } })
}

fn problem(status: StatusCode, text: &dyn std::fmt::Display) -> Response {
    (status, page(&html! { p { "Not signed in: " (text.to_string()) "." } })).into_response()
}

fn page(body: &maud::Markup) -> Response {
    let page = html! { (maud::DOCTYPE) html lang="en" { head { title { "Two machines" } } body { (body) } } };
    Html(page.into_string()).into_response()
}
