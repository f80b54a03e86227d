//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use auth::Prompt;
use clap::{ArgGroup, Parser, Subcommand, ValueEnum};

const AFTER_HELP: &str = "\
Exit codes:
  0  done, even if the token could not be saved (a warning says so)
  1  any other failure
  2  invalid usage or configuration
  3  interaction required
  4  refused by the identity provider or in the browser
  5  network failure, server error (5xx) or throttling
  6  cancelled or timed out
  7  cache failure (accounts, logout, cache)

Environment:
  BROWSER                  command that opens the sign-in page, or several separated by colons; %s stands for the URL
  AUTH_LOG                 what to log to stderr, such as debug or auth_http=debug
  SSL_CERT_FILE            trusted root certificates
  HTTPS_PROXY, NO_PROXY    the proxy, and the hosts to reach without it";

/// Get OAuth 2.0 and OpenID Connect tokens, from the cache if possible, otherwise by asking the user
#[derive(Debug, Parser)]
#[command(name = "auth", version, after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Get a token: silently if possible, otherwise with a browser or on another device
    Token(Box<TokenArgs>),
    /// List the signed-in accounts
    Accounts(AccountsArgs),
    /// Remove accounts and their tokens from the cache; issued access tokens stay valid until they expire
    Logout(LogoutArgs),
    /// Inspect, encrypt or decrypt the cache file; never shows a secret
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Run a local identity provider for development
    #[cfg(feature = "emulator")]
    Emulator(EmulatorArgs),
    /// Demonstrate the whole flow against a local identity provider
    #[cfg(feature = "emulator")]
    Demo(DemoArgs),
}

/// The client, its identity provider and its cache.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("provider"))]
pub(crate) struct AppArgs {
    /// The application's client id
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: String,
    /// Entra tenant: a GUID, a domain name, common, organizations or consumers [default: common]
    #[arg(long, value_name = "TENANT", group = "provider")]
    pub(crate) tenant: Option<String>,
    /// Authority URL of Entra, B2C, External ID or ADFS, such as https://login.microsoftonline.us/TENANT
    #[arg(long, value_name = "URL", group = "provider")]
    pub(crate) authority: Option<String>,
    /// Issuer URL of any OpenID Connect provider
    #[arg(long, value_name = "URL", group = "provider")]
    pub(crate) oidc_issuer: Option<String>,
    /// Cache file, unencrypted and shared with MSAL libraries [default: one per user and client, encrypted]
    #[arg(long, value_name = "PATH", conflicts_with_all = ["no_cache", "allow_plaintext_fallback"])]
    pub(crate) cache_file: Option<PathBuf>,
    /// If no keyring can hold the key, create the cache unencrypted; every call warns about it
    #[arg(long, conflicts_with = "no_cache")]
    pub(crate) allow_plaintext_fallback: bool,
    /// Use no cache: keep no tokens beyond this call
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Accept users whose home is another Entra cloud
    #[arg(long)]
    pub(crate) multi_cloud: bool,
}

/// Options of `auth token`.
#[derive(Debug, clap::Args)]
pub(crate) struct TokenArgs {
    #[command(flatten)]
    pub(crate) app: AppArgs,
    /// Scope of the token; may be repeated
    #[arg(long, value_name = "SCOPE", required = true, num_args = 1..)]
    pub(crate) scope: Vec<String>,
    /// Account to use, by its full username or home account id
    #[arg(long, value_name = "USERNAME|HOME_ACCOUNT_ID")]
    pub(crate) account: Option<String>,
    /// Never ask the user to sign in
    #[arg(long, conflicts_with = "interactive")]
    pub(crate) silent: bool,
    /// Always ask the user to sign in
    #[arg(long)]
    pub(crate) interactive: bool,
    /// Sign in on another device with a code, instead of opening a browser
    #[arg(long, conflicts_with_all = ["silent", "prompt", "redirect_uri"])]
    pub(crate) device_code: bool,
    /// Print the URL instead of opening a browser; if yours cannot reach this machine, paste the address of its last
    /// page
    #[arg(long, conflicts_with_all = ["silent", "device_code"])]
    pub(crate) no_browser: bool,
    /// Ignore cached access tokens
    #[arg(long)]
    pub(crate) force_refresh: bool,
    /// Claims that the token must satisfy, such as those of a claims challenge
    #[arg(long, value_name = "JSON")]
    pub(crate) claims: Option<String>,
    /// Client capabilities, such as cp1 (the client handles claims challenges)
    #[arg(long, value_name = "CAPABILITY", num_args = 1..)]
    pub(crate) capabilities: Vec<String>,
    /// Username of the user who will probably sign in
    #[arg(long, value_name = "USERNAME")]
    pub(crate) login_hint: Option<String>,
    /// B2C user flow to use instead of that of the authority, such as one that edits a profile
    #[arg(long, value_name = "NAME")]
    pub(crate) user_flow: Option<String>,
    /// Extra query parameter for the requests of this call; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) extra_query: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) page: PageArgs,
    /// Prompt of the sign-in page: select_account, login, consent, create or none
    #[arg(long, value_name = "PROMPT")]
    pub(crate) prompt: Option<Prompt>,
    /// Loopback URI that receives the response [default: http://localhost with any free port; 8400 with --no-browser
    /// over SSH]
    #[arg(long, value_name = "URI")]
    pub(crate) redirect_uri: Option<String>,
    /// Time limit for the user to sign in [default: 300; with a device code, until it expires]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}

impl TokenArgs {
    /// Returns the first given flag that a device code cannot honour.
    pub(crate) fn flag_unfit_for_device_code(&self) -> Option<&'static str> {
        let PageArgs { domain_hint: _, extra_scope, acr_values, max_age } = &self.page;
        let given = [
            ("--prompt", self.prompt.is_some()),
            ("--max-age", max_age.is_some()),
            ("--acr-values", !acr_values.is_empty()),
            ("--extra-scope", !extra_scope.is_empty()),
        ];
        given.into_iter().find_map(|(flag, given)| given.then_some(flag))
    }

    /// Whether the user has to sign in, whatever is cached: the cache does not record when or how a user signed in.
    pub(crate) fn needs_sign_in(&self) -> bool {
        self.interactive || self.page.max_age.is_some() || !self.page.acr_values.is_empty()
    }
}

/// Parameters of the sign-in page.
#[derive(Debug, clap::Args)]
pub(crate) struct PageArgs {
    /// Domain of the user, to go straight to the sign-in page of a federated organization
    #[arg(long, value_name = "DOMAIN", conflicts_with_all = ["device_code", "silent"])]
    pub(crate) domain_hint: Option<String>,
    /// Further scopes that the user is asked to consent to
    #[arg(long, value_name = "SCOPE", num_args = 1.., conflicts_with_all = ["device_code", "silent"])]
    pub(crate) extra_scope: Vec<String>,
    /// Authentication context classes to request, in order of preference
    #[arg(long, value_name = "ACR", num_args = 1.., conflicts_with_all = ["device_code", "silent"])]
    pub(crate) acr_values: Vec<String>,
    /// Maximum age of the sign-in; the identity provider must report when it took place
    #[arg(long, value_name = "SECONDS", value_parser = age, conflicts_with_all = ["device_code", "silent"])]
    pub(crate) max_age: Option<Duration>,
}

/// Options of `auth accounts`.
#[derive(Debug, clap::Args)]
pub(crate) struct AccountsArgs {
    #[command(flatten)]
    pub(crate) app: AppArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = ListOutput::Text)]
    pub(crate) output: ListOutput,
}

/// Options of `auth logout`.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("selection").required(true))]
pub(crate) struct LogoutArgs {
    #[command(flatten)]
    pub(crate) app: AppArgs,
    /// Account to remove, by its full username or home account id
    #[arg(long, value_name = "USERNAME|HOME_ACCOUNT_ID", group = "selection")]
    pub(crate) account: Option<String>,
    /// Remove all accounts of this client and authority
    #[arg(long, group = "selection")]
    pub(crate) all: bool,
    /// Remove them for every client that shares the cache file, even if they are not shared by a client family
    #[arg(long)]
    pub(crate) all_clients: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = ListOutput::Text)]
    pub(crate) output: ListOutput,
}

/// The commands of `auth cache`.
#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Print the path of the cache file
    Path(CacheArgs),
    /// Show the state of the cache file and its folder, and how many entries it has
    Status(CacheArgs),
    /// List the entries: account, client, scopes and expiry
    Inspect(CacheArgs),
    /// Encrypt the client's default cache file with a key from the keyring, or decrypt it
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
    /// The application's client id, to select its default cache file
    #[arg(long, value_name = "ID", group = "which")]
    pub(crate) client_id: Option<String>,
    /// Any cache file
    #[arg(long, value_name = "PATH", group = "which")]
    pub(crate) cache_file: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = ListOutput::Text)]
    pub(crate) output: ListOutput,
}

/// Options of `auth cache migrate`.
#[derive(Debug, clap::Args)]
pub(crate) struct MigrateArgs {
    /// The application's client id
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: String,
    /// Target form of the file
    #[arg(long, value_enum)]
    pub(crate) to: CacheForm,
    /// Output format
    #[arg(long, value_enum, default_value_t = ListOutput::Text)]
    pub(crate) output: ListOutput,
}

/// The form of a cache file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CacheForm {
    /// Encrypted with a key from the keyring
    Encrypted,
    /// JSON as MSAL libraries share it; anyone who can read the file has the tokens
    Plain,
}

/// Options of `auth emulator`.
#[cfg(feature = "emulator")]
#[derive(Debug, clap::Args)]
pub(crate) struct EmulatorArgs {
    /// Port on 127.0.0.1 [default: a free one]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    pub(crate) port: u16,
    /// Lifetime of access tokens [default: 3600]
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

/// The formats of all other results.
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
    /// Your browser if there is a display, otherwise the robot
    Auto,
    /// Your browser
    System,
    /// The robot
    Robot,
}

impl Command {
    /// Whether Ctrl-C is the normal way to end the command.
    pub(crate) fn ends_by_interrupt(&self) -> bool {
        match self {
            #[cfg(feature = "emulator")]
            Self::Emulator(_) => true,
            _ => false,
        }
    }

    /// The format in which errors are reported.
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
