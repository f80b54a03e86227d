//! `auth demo`: the whole flow, step by step, against an identity provider on this machine.

mod cache_file;
mod story;

use std::time::{Duration, Instant};

use auth::{Account, AuthError, AuthResult, Authority, Environment, FileStorage, PublicClient, Scopes};
use auth_emulator::{Emulator, GrantType, Robot};

use crate::args::{DemoArgs, DemoBrowser};
use crate::browser::{RobotBrowser, TerminalBrowser};
use crate::failure::Failure;
use story::Story;

/// Who the robot signs in as.
const ADA: &str = "ada@contoso.example";

pub(crate) async fn run(args: &DemoArgs) -> Result<(), Failure> {
    let begun = Instant::now();
    let emulator = Emulator::start().await.map_err(|error| Failure::internal(&error))?;
    let folder = tempfile::tempdir().map_err(|error| Failure::internal(&error))?;
    let file = folder.path().join("tokens.json");
    let robot = match args.browser {
        DemoBrowser::Robot => true,
        DemoBrowser::System => false,
        DemoBrowser::Auto => Environment::from_process().check().is_err(),
    };
    let client = PublicClient::builder("demo")
        .authority(Authority::parse(&emulator.authority())?)
        .application("auth demo", env!("CARGO_PKG_VERSION"))
        .storage(FileStorage::at(&file).map_err(AuthError::from)?);
    let client = if robot {
        client.browser(RobotBrowser { robot: Robot::new().user(ADA) })
    } else {
        client.browser(TerminalBrowser::new())
    };
    let demo =
        Demo { client: client.build()?, scopes: Scopes::parse("User.Read")?, emulator, robot, story: Story::new() };
    demo.tell(&file).await?;
    demo.summarise(begun.elapsed());
    demo.emulator.shutdown().await;
    Ok(())
}

struct Demo {
    client: PublicClient,
    scopes: Scopes,
    emulator: Emulator,
    robot: bool,
    story: Story,
}

impl Demo {
    async fn tell(&self, file: &std::path::Path) -> Result<(), Failure> {
        let story = &self.story;
        story.title("auth demo", "the cache first, and the user only when it is not enough");
        story.note(format_args!("identity provider  {}  (an emulator, on this machine)", self.emulator.authority()));
        story.note(format_args!("token cache        {}", file.display()));

        story.step("A program asks for a token silently");
        self.expect_ui_required().await?;

        story.step("The user signs in with a browser");
        story.note(if self.robot {
            "a robot plays the user, over HTTP"
        } else {
            "your browser opens: choose any user"
        });
        let signed_in = self.client.acquire_token_interactive(&self.scopes).send().await?;
        let account = signed_in.account().ok_or_else(|| unexpected("the emulator named no account"))?;
        story.done(format_args!("{} signed in; {}", account.username, describe(&signed_in)));

        story.step("The program asks again");
        let asked = Instant::now();
        let again = self.silent(account).await?;
        let took = asked.elapsed();
        self.check(again.source() == auth::TokenSource::Cache, "the cache did not answer")?;
        story.done(format_args!("{}, in {} µs", describe(&again), took.as_micros()));

        story.step("The token expires");
        cache_file::expire(file)?;
        story.note("its expiry in the cache file was set to the past");
        let refreshed = self.silent(account).await?;
        let fresh = refreshed.source() == auth::TokenSource::IdentityProvider
            && !refreshed.access_token().ct_eq(signed_in.access_token().expose());
        self.check(fresh, "the token was not refreshed")?;
        story.done(format_args!("{}, without the user; the refresh token was rotated and saved", describe(&refreshed)));

        story.step("The user signs out");
        self.client.remove_account(account).await?;
        self.check(self.client.accounts().await?.is_empty(), "the account is still there")?;
        story.done("the account is forgotten");
        self.expect_ui_required().await
    }

    async fn silent(&self, account: &Account) -> Result<AuthResult, AuthError> {
        self.client.acquire_token_silent(&self.scopes, Some(account)).send().await
    }

    async fn expect_ui_required(&self) -> Result<(), Failure> {
        match self.client.acquire_token_silent(&self.scopes, None).send().await {
            Err(AuthError::UiRequired(ui)) => {
                self.story.done(format_args!("interaction required ({})", ui.code()));
                Ok(())
            }
            Err(error) => Err(error.into()),
            Ok(_) => Err(unexpected("there should be no token")),
        }
    }

    fn check(&self, holds: bool, otherwise: &'static str) -> Result<(), Failure> {
        if holds { Ok(()) } else { Err(unexpected(otherwise)) }
    }

    fn summarise(&self, took: Duration) {
        let ledger = self.emulator.ledger();
        let (codes, refreshes) =
            (ledger.token_requests(GrantType::AuthorizationCode), ledger.token_requests(GrantType::RefreshToken));
        let seconds = took.as_secs_f64();
        self.story.title("Done", format_args!("{codes} sign-in and {refreshes} refresh in {seconds:.1} s"));
    }
}

fn describe(result: &AuthResult) -> String {
    let from = if result.source() == auth::TokenSource::Cache { "the cache" } else { "the identity provider" };
    format!("a token for {} from {from}", result.scopes())
}

/// A failure of the demo itself.
fn unexpected(what: &'static str) -> Failure {
    Failure::internal(&std::io::Error::other(what))
}
