//! B2C: the user flows of a tenant, and the answers of its pages.

use super::*;

const AUTHORITY: &str = "https://contoso.b2clogin.com/contoso.example/B2C_1_SignIn";
const FORGOTTEN: &str = "AADB2C90118%3A+The+user+has+forgotten+their+password.%0D%0ACorrelation+ID%3A+1";

#[test]
fn only_a_b2c_authority_has_other_user_flows() {
    let at = |authority: &str, name: &str| {
        Authority::parse(authority).unwrap().with_user_flow(name).map(|authority| authority.to_string())
    };
    let tfp = "https://login.contoso.example/tfp/contoso.example/B2C_1_SignIn";
    for (authority, name, expected) in [
        (AUTHORITY, "B2C_1_Edit", Some("https://contoso.b2clogin.com/contoso.example/b2c_1_edit")),
        (AUTHORITY, "B2C_1A_reset.v2", Some("https://contoso.b2clogin.com/contoso.example/b2c_1a_reset.v2")),
        (tfp, "B2C_1_Edit", Some("https://login.contoso.example/tfp/contoso.example/b2c_1_edit")),
        (AUTHORITY, "", None),
        (AUTHORITY, "..", None),
        (AUTHORITY, "a/b", None),
        (AUTHORITY, "a%2fb", None),
        (AUTHORITY, "a?b", None),
        ("https://login.microsoftonline.com/contoso.example", "B2C_1_Edit", None),
        ("https://contoso.ciamlogin.com", "B2C_1_Edit", None),
        ("https://adfs.contoso.example/adfs", "B2C_1_Edit", None),
    ] {
        assert_eq!(at(authority, name).ok().as_deref(), expected, "{authority} {name}");
    }
}

#[test]
fn the_errors_of_b2c_pages_are_recognised() {
    for (response, expected, cancelled) in [
        (format!("error=access_denied&error_description={FORGOTTEN}"), "ui password_forgotten", false),
        ("error=access_denied&error_description=AADB2C90118".to_owned(), "ui password_forgotten", false),
        (
            "error=access_denied&error_description=AADB2C90091%3A+The+user+has+cancelled".to_owned(),
            "server access_denied",
            true,
        ),
        ("error=access_denied&error_subcode=cancel".to_owned(), "server access_denied", true),
        ("error=access_denied&error_description=AADB2C901180".to_owned(), "server access_denied", false),
        ("error=access_denied&error_description=say+AADB2C90118".to_owned(), "server access_denied", false),
        ("error=access_denied&error_description=AADB2C90006%3A".to_owned(), "server access_denied", false),
        ("error=access_denied".to_owned(), "server access_denied", false),
        ("error=server_error&error_description=AADB2C90118".to_owned(), "server server_error", false),
        ("error=server_error&error_subcode=cancel".to_owned(), "server server_error", false),
    ] {
        let mut request = request(&[]);
        request.metadata = Authority::parse(AUTHORITY).unwrap().metadata().unwrap();
        request.login_hint = Some("ada@contoso.example".to_owned());
        let error = accept(begun(request), &format!("{response}&state=STATE")).unwrap_err();
        assert_eq!(kind(&error), expected, "{response}");
        match error {
            Error::Server(server) => assert_eq!(server.is_cancelled(), cancelled, "{response}"),
            Error::UiRequired(ui) => {
                assert_eq!((ui.reason, ui.classification()), (UiReason::PasswordForgotten, Classification::None));
                assert_eq!(ui.login_hint.as_deref(), Some("ada@contoso.example"));
                assert_eq!(ui.to_string(), "the user forgot the password: start the user flow that resets it");
            }
            Error::Throttled(_) | Error::Transport(_) | Error::Config(_) | Error::Protocol(_) => panic!("{response}"),
        }
    }
}
