//! Shortcuts that bring the state to where a test begins.

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::authorize::{Reply, Step, begin, choose};
use crate::choice::Choice;
use crate::clock::UnixTime;
use crate::device;
use crate::directory::{Tenant, default_users};
use crate::error::OAuthError;
use crate::params::Params;
use crate::settings::Settings;
use crate::store::{DeviceCode, State};
use crate::token::{Grant, answer};

pub(crate) const CLIENT: &str = "c0ffee00-0000-4000-8000-000000000001";
pub(crate) const REDIRECT: &str = "http://localhost:5000/";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const SCOPE: &str = "User.Read openid profile offline_access";

/// The state of an emulator, with a clock.
pub(crate) struct Scenario {
    pub(crate) state: State,
    pub(crate) now: UnixTime,
    pub(crate) tenant: Tenant,
}

impl Scenario {
    pub(crate) fn new() -> Self {
        Self {
            state: State::new(StdRng::seed_from_u64(7), Settings::default(), default_users()),
            now: UnixTime::from_secs(1_800_000_000),
            tenant: Tenant::Common,
        }
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        self.now = self.now.after(std::time::Duration::from_secs(seconds));
    }

    /// The usual authorization request with some parameters changed; an empty one counts as absent.
    pub(crate) fn authorize(&mut self, changes: &[(&str, &str)]) -> Result<Step, OAuthError> {
        let usual = [
            ("client_id", CLIENT),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("scope", SCOPE),
            ("state", "state-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        begin(&mut self.state, self.tenant, &changed(&usual, changes), self.now)
    }

    pub(crate) fn choose(&mut self, step: &Step, choice: Choice<'_>) -> Result<Step, OAuthError> {
        let (Step::SignIn { transaction, .. } | Step::Consent { transaction, .. }) = step else { panic!("no page") };
        choose(&mut self.state, transaction, choice, self.now)
    }

    /// Signs the first user in with consent, and returns the code.
    pub(crate) fn code(&mut self, changes: &[(&str, &str)]) -> String {
        let page = self.authorize(changes).unwrap();
        let ada = self.state.users[0].object_id().to_owned();
        let mut step = self.choose(&page, Choice::User(&ada)).unwrap();
        if matches!(step, Step::Consent { .. }) {
            step = self.choose(&step, Choice::Accept).unwrap();
        }
        field(&reply(step), "code")
    }

    /// A code redemption with some parameters changed.
    pub(crate) fn redeem(&mut self, code: &str, changes: &[(&str, &str)]) -> Result<Grant, OAuthError> {
        let usual = [
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        answer(&mut self.state, self.tenant, &changed(&usual, changes), self.now)
    }

    /// A refresh with some parameters changed.
    pub(crate) fn refresh(&mut self, token: &str, changes: &[(&str, &str)]) -> Result<Grant, OAuthError> {
        let usual = [("grant_type", "refresh_token"), ("client_id", CLIENT), ("refresh_token", token)];
        answer(&mut self.state, self.tenant, &changed(&usual, changes), self.now)
    }

    /// A device authorization request with some parameters changed.
    pub(crate) fn device(&mut self, changes: &[(&str, &str)]) -> Result<DeviceCode, OAuthError> {
        let usual = [("client_id", CLIENT), ("scope", SCOPE)];
        device::authorize(&mut self.state, self.tenant, &changed(&usual, changes), self.now)
    }

    pub(crate) fn enter(&mut self, user_code: &str) -> Result<device::Step, OAuthError> {
        device::enter(&mut self.state, user_code, self.now)
    }

    pub(crate) fn press(&mut self, step: &device::Step, choice: Choice<'_>) -> Result<device::Step, OAuthError> {
        use device::Step::{Consent, SignIn};
        let (SignIn { transaction, .. } | Consent { transaction, .. }) = step else { panic!("no page") };
        device::choose(&mut self.state, transaction, choice, self.now)
    }

    /// Enters the code as the first user, and makes this choice on the last page.
    pub(crate) fn answer_device(&mut self, user_code: &str, choice: Choice<'_>) -> device::Step {
        let page = self.enter(user_code).unwrap();
        let ada = self.state.users[0].object_id().to_owned();
        let page = self.press(&page, Choice::User(&ada)).unwrap();
        self.press(&page, choice).unwrap()
    }

    /// A poll of the device with some parameters changed.
    pub(crate) fn poll(&mut self, device_code: &str, changes: &[(&str, &str)]) -> Result<Grant, OAuthError> {
        let usual = [("grant_type", "device_code"), ("client_id", CLIENT), ("device_code", device_code)];
        answer(&mut self.state, self.tenant, &changed(&usual, changes), self.now)
    }

    /// A refresh token of a new sign-in.
    pub(crate) fn refresh_token(&mut self) -> String {
        let code = self.code(&[]);
        self.redeem(&code, &[]).unwrap().refresh_token.unwrap()
    }
}

pub(crate) fn reply(step: Step) -> Reply {
    match step {
        Step::Reply(reply) => reply,
        _ => panic!("no response"),
    }
}

/// A field of a successful response.
pub(crate) fn field(reply: &Reply, name: &str) -> String {
    let fields = reply.outcome.as_ref().unwrap();
    fields.iter().find(|(known, _)| *known == name).unwrap().1.clone()
}

/// The `error` code of an error response, its number, and its suberror.
pub(crate) fn why<T>(result: Result<T, OAuthError>) -> (String, u32, Option<String>) {
    let error = result.err().unwrap();
    (error.code.into(), error.number, error.suberror.map(Into::into))
}

fn changed(usual: &[(&str, &str)], changes: &[(&str, &str)]) -> Params {
    let kept = usual.iter().filter(|(name, _)| !changes.iter().any(|(other, _)| name == other));
    Params::of(&kept.chain(changes).copied().collect::<Vec<_>>())
}
