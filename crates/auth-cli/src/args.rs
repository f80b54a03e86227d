//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use auth::Prompt;
use clap::{ArgGroup, Parser, Subcommand, ValueEnum};

const AFTER_HELP: &str = "\
Exit codes:
  0  done, also when the token could not be saved (a warning)
  1  anything else
  2  wrong usage or configuration
  3  interaction required
  4  refused by the identity provider or in the browser
  5  network failure, a 5xx or throttled
  6  cancelled or timed out
  7  the cache itself failed (accounts, logout, cache)

Environment:
  BROWSER         commands that show the sign-in page, separated by colons; %s stands for the address
  AUTH_LOG        what is logged to stderr, such as debug or auth_http=debug
  SSL_CERT_FILE   trusted roots; HTTPS_PROXY and NO_PROXY: the proxy";

/// Tokens for OAuth 2.0 and OpenID Connect: from the cache first, from the user when needed.
#[derive(Debug, Parser)]
#[command(name = "auth", version, after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Get a token: silently, then with a browser or on another device
    Token(Box<TokenArgs>),
    /// List the accounts that signed in
    Accounts(AccountsArgs),
    /// Forget accounts; tokens that were handed out work until they expire
    Logout(LogoutArgs),
    /// Look at the cache file, encrypt or decrypt it; no secret is shown
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Run a local identity provider for development
    #[cfg(feature = "emulator")]
    Emulator(EmulatorArgs),
    /// Show the whole pattern against a local identity provider
    #[cfg(feature = "emulator")]
    Demo(DemoArgs),
}

/// Who asks whom, and where the tokens are kept.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("provider"))]
pub(crate) struct AppArgs {
    /// The application's client id
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: String,
    /// Entra tenant: a GUID, a domain name, common, organizations or consumers [default: common]
    #[arg(long, value_name = "T", group = "provider")]
    pub(crate) tenant: Option<String>,
    /// Authority of Entra, B2C, External ID or ADFS, such as https://login.microsoftonline.us/TENANT
    #[arg(long, value_name = "URL", group = "provider")]
    pub(crate) authority: Option<String>,
    /// Issuer of any OpenID Connect provider
    #[arg(long, value_name = "URL", group = "provider")]
    pub(crate) oidc_issuer: Option<String>,
    /// The cache file, plain and shared with MSAL libraries [default: one per user and client, encrypted]
    #[arg(long, value_name = "PATH", conflicts_with_all = ["no_cache", "allow_plaintext_fallback"])]
    pub(crate) cache_file: Option<PathBuf>,
    /// Where there is no keyring for its key, keep a new cache unencrypted; each call warns of it
    #[arg(long, conflicts_with = "no_cache")]
    pub(crate) allow_plaintext_fallback: bool,
    /// Keep no tokens beyond this call
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Take users whose home is another cloud of Entra
    #[arg(long)]
    pub(crate) multi_cloud: bool,
}

/// Options of `auth token`.
#[derive(Debug, clap::Args)]
pub(crate) struct TokenArgs {
    #[command(flatten)]
    pub(crate) app: AppArgs,
    /// What the token is for; may be given several times
    #[arg(long, value_name = "S", required = true, num_args = 1..)]
    pub(crate) scope: Vec<String>,
    /// The account, by its username or home account id, whole
    #[arg(long, value_name = "USERNAME|HOME_ACCOUNT_ID")]
    pub(crate) account: Option<String>,
    /// Never ask the user
    #[arg(long, conflicts_with = "interactive")]
    pub(crate) silent: bool,
    /// Always ask the user
    #[arg(long)]
    pub(crate) interactive: bool,
    /// Sign in on another device, with a code, instead of opening a browser
    #[arg(long, conflicts_with_all = ["silent", "prompt", "redirect_uri"])]
    pub(crate) device_code: bool,
    /// Open no browser: print the address, for a browser of your choice, and take the address at its end by hand
    #[arg(long, conflicts_with_all = ["silent", "device_code"])]
    pub(crate) no_browser: bool,
    /// Pass the token in the cache over
    #[arg(long)]
    pub(crate) force_refresh: bool,
    /// Claims that the token must satisfy, such as those of a claims challenge
    #[arg(long, value_name = "JSON")]
    pub(crate) claims: Option<String>,
    /// What the client can do, such as cp1: it answers claims challenges
    #[arg(long, value_name = "C", num_args = 1..)]
    pub(crate) capabilities: Vec<String>,
    /// Who will probably sign in
    #[arg(long, value_name = "H")]
    pub(crate) login_hint: Option<String>,
    /// Another user flow of the B2C tenant, such as the one that edits a profile
    #[arg(long, value_name = "NAME")]
    pub(crate) user_flow: Option<String>,
    /// A query parameter for the requests of this call; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) extra_query: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) page: PageArgs,
    /// How the sign-in page treats the user: select_account, login, consent, create or none
    #[arg(long, value_name = "P")]
    pub(crate) prompt: Option<Prompt>,
    /// Where the answer is received [default: http://localhost, any port; 8400 with --no-browser over SSH]
    #[arg(long, value_name = "URI")]
    pub(crate) redirect_uri: Option<String>,
    /// How long the user has [default: 300; with a device code, until it expires]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}

impl TokenArgs {
    /// The flag, if any is given, that only a sign-in page can do justice to.
    pub(crate) fn flag_of_the_page(&self) -> Option<&'static str> {
        let PageArgs { domain_hint: _, extra_scope, acr_values, max_age } = &self.page;
        let given = [
            ("--prompt", self.prompt.is_some()),
            ("--max-age", max_age.is_some()),
            ("--acr-values", !acr_values.is_empty()),
            ("--extra-scope", !extra_scope.is_empty()),
        ];
        given.into_iter().find_map(|(flag, given)| given.then_some(flag))
    }

    /// Whether the user has to sign in, whatever is in the cache: nothing there tells when or how somebody did.
    pub(crate) fn needs_sign_in(&self) -> bool {
        self.interactive || self.page.max_age.is_some() || !self.page.acr_values.is_empty()
    }
}

/// What is wished of the sign-in page.
#[derive(Debug, clap::Args)]
pub(crate) struct PageArgs {
    /// The domain of whoever signs in, so that a federated user is sent home at once
    #[arg(long, value_name = "D", conflicts_with_all = ["device_code", "silent"])]
    pub(crate) domain_hint: Option<String>,
    /// What the user is asked to consent to beyond the scopes of this token
    #[arg(long, value_name = "S", num_args = 1.., conflicts_with_all = ["device_code", "silent"])]
    pub(crate) extra_scope: Vec<String>,
    /// Which kinds of authentication are wanted, the best first
    #[arg(long, value_name = "ACR", num_args = 1.., conflicts_with_all = ["device_code", "silent"])]
    pub(crate) acr_values: Vec<String>,
    /// How long ago the user may have signed in; the identity provider must tell when that was
    #[arg(long, value_name = "SECONDS", value_parser = age, conflicts_with_all = ["device_code", "silent"])]
    pub(crate) max_age: Option<Duration>,
}

/// Options of `auth accounts`.
#[derive(Debug, clap::Args)]
pub(crate) struct AccountsArgs {
    #[command(flatten)]
    pub(crate) app: AppArgs,
    /// What is printed
    #[arg(long, value_enum, default_value_t = ListOutput::Text)]
    pub(crate) output: ListOutput,
}

/// Options of `auth logout`.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("whom").required(true))]
pub(crate) struct LogoutArgs {
    #[command(flatten)]
    pub(crate) app: AppArgs,
    /// The account, by its username or home account id, whole
    #[arg(long, value_name = "A", group = "whom")]
    pub(crate) account: Option<String>,
    /// All accounts of this client and authority
    #[arg(long, group = "whom")]
    pub(crate) all: bool,
    /// Forget them for every client that shares the cache file, even if no family of clients shares them
    #[arg(long)]
    pub(crate) all_clients: bool,
    /// What is printed
    #[arg(long, value_enum, default_value_t = ListOutput::Text)]
    pub(crate) output: ListOutput,
}

/// What `auth cache` does.
#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Where the file is
    Path(CacheArgs),
    /// How the file and its surroundings are, and how much is in it
    Status(CacheArgs),
    /// What is in it: whose each entry is, for what, and until when
    Inspect(CacheArgs),
    /// Encrypt the client's file of this user, with a key in the keyring, or decrypt it
    Migrate(MigrateArgs),
}

impl CacheCommand {
    fn output(&self) -> ListOutput {
        match self {
            Self::Path(args) | Self::Status(args) | Self::Inspect(args) => args.output,
            Self::Migrate(args) => args.output,
        }
    }
}

/// Options of `auth cache`.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("which").required(true).multiple(true))]
pub(crate) struct CacheArgs {
    /// The application's client id, for its file of this user
    #[arg(long, value_name = "ID", group = "which")]
    pub(crate) client_id: Option<String>,
    /// The cache file, whoever writes it
    #[arg(long, value_name = "PATH", group = "which")]
    pub(crate) cache_file: Option<PathBuf>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = ListOutput::Text)]
    pub(crate) output: ListOutput,
}

/// Options of `auth cache migrate`.
#[derive(Debug, clap::Args)]
pub(crate) struct MigrateArgs {
    /// The application's client id
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: String,
    /// What the file is to be
    #[arg(long, value_enum)]
    pub(crate) to: CacheForm,
    /// What is printed
    #[arg(long, value_enum, default_value_t = ListOutput::Text)]
    pub(crate) output: ListOutput,
}

/// How a cache file is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CacheForm {
    /// With a key that the keyring has
    Encrypted,
    /// The JSON that MSAL libraries share; whoever reads it has the tokens
    Plain,
}

/// Options of `auth emulator`.
#[cfg(feature = "emulator")]
#[derive(Debug, clap::Args)]
pub(crate) struct EmulatorArgs {
    /// The port on 127.0.0.1 [default: a free one]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) port: u16,
    /// How long access tokens live [default: 3600]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) access_token_lifetime: Option<Duration>,
}

/// Options of `auth demo`.
#[cfg(feature = "emulator")]
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Who signs in: you with your browser, or a built-in robot
    #[arg(long, value_enum, default_value_t = DemoBrowser::Auto)]
    pub(crate) browser: DemoBrowser,
}

/// The formats of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// A status line, without the token
    Text,
    /// Everything as one JSON object
    Json,
    /// The access token alone
    Token,
    /// An Authorization header
    Header,
}

/// The formats of everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListOutput {
    /// For people
    Text,
    /// For programs
    Json,
}

impl From<ListOutput> for Output {
    fn from(output: ListOutput) -> Self {
        match output {
            ListOutput::Text => Self::Text,
            ListOutput::Json => Self::Json,
        }
    }
}

/// Who plays the user in the demo.
#[cfg(feature = "emulator")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DemoBrowser {
    /// Your browser where there is a display, else the robot
    Auto,
    /// Your browser
    System,
    /// The robot
    Robot,
}

impl Command {
    /// Whether Ctrl-C is how the command ends when all is well.
    pub(crate) fn ends_by_interrupt(&self) -> bool {
        match self {
            #[cfg(feature = "emulator")]
            Self::Emulator(_) => true,
            _ => false,
        }
    }

    /// The format in which an error is told.
    pub(crate) fn output(&self) -> Output {
        match self {
            Self::Token(args) => args.output,
            Self::Accounts(args) => args.output.into(),
            Self::Logout(args) => args.output.into(),
            Self::Cache(command) => command.output().into(),
            #[cfg(feature = "emulator")]
            Self::Emulator(_) | Self::Demo(_) => Output::Text,
        }
    }
}

fn age(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map(Duration::from_secs);
    seconds.map_err(|_| "it must be a whole number of seconds".to_owned())
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err("it must be NAME=VALUE".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err("it must be a whole number of seconds from 1 to 86400".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }
}
