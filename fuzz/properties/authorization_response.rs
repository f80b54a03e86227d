//! Authorization responses: a response is accepted if and only if it has the right state, one code, no refusal and no
//! other issuer (P-09, S-03, S-05, S-09).

use auth_core::{AuthorizationResponse, Error, Exchange as _, ProtocolError, ResponseMode, Timestamp};

use super::sign_in;

/// Parameters that may occur once.
const ONCE: [&str; 5] = ["state", "code", "iss", "client_info", "cloud_instance_host_name"];
/// The parameters of a refusal. Each may occur once, and only one of the two names of the subcode.
const REFUSAL: [&str; 4] = ["error", "error_description", "error_subcode", "suberror"];

/// `input` is the form body or query, in which `{state}` is the expected state.
pub(crate) fn holds(input: &[u8]) {
    let pending = sign_in::begin(ResponseMode::FormPost);
    let state = sign_in::state_of(&pending);
    let input = sign_in::with_state(input, &state);
    let pairs: Vec<(String, String)> = form_urlencoded::parse(&input).into_owned().collect();
    let all = |name: &str| -> Vec<&str> {
        pairs.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    };
    let subcodes = all("error_subcode").len() + all("suberror").len();
    let twice = subcodes > 1 || ONCE.iter().chain(&REFUSAL).any(|name| all(name).len() > 1);
    let Ok(response) = AuthorizationResponse::parse(&input) else {
        let refusal = pairs.iter().any(|(name, _)| REFUSAL.contains(&name.as_str()));
        let code_is_good = all("code").iter().all(|code| is_token(code));
        assert!(twice || refusal || !code_is_good, "refused without a reason");
        return;
    };
    assert!(!twice, "a parameter occurs twice");
    let is_ours = all("state") == [state.as_str()];
    assert_eq!(response.has_state(pending.state()), is_ours);
    assert_eq!(response.error().is_some(), !all("error").is_empty());
    let accepted = pending.accept(response, Timestamp::from_unix_seconds(sign_in::NOW));
    let issuer_is_good = all("iss").iter().all(|iss| *iss == sign_in::ISSUER);
    match accepted {
        Ok(redemption) => {
            assert!(is_ours && issuer_is_good && all("error").is_empty());
            let request = redemption.request();
            assert_eq!(request.uri(), "https://idp.example/token", "the endpoint from the metadata (S-06)");
            assert_eq!(all("code").len(), 1);
            assert!(is_token(all("code")[0]));
        }
        Err(Error::Protocol(error)) => match *error {
            ProtocolError::StateMismatch => assert!(!is_ours),
            ProtocolError::ResponseIssuer => assert!(is_ours && !issuer_is_good),
            ProtocolError::Missing { name: "code", .. } => assert!(all("code").is_empty()),
            other => panic!("{other:?}"),
        },
        Err(Error::Server(_) | Error::UiRequired(_)) => assert!(is_ours && issuer_is_good && all("error").len() == 1),
        Err(other) => panic!("{other:?}"),
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 * 1024 && text.bytes().all(|byte| byte.is_ascii_graphic())
}
