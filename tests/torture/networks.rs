//! S-14: machines that have one family of addresses, and ports that somebody holds on one of them.

use auth_tests::plan::{Need, report};
use auth_tests::program::{Home, Run, program};

/// The families that a network has.
const BOTH: &str = "true";
const V4_ALONE: &str = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6";
const V6_ALONE: &str = "ip addr del 127.0.0.1/8 dev lo";
/// Two ports are all that the system may choose from.
const TWO_PORTS: &str = "echo '40000 40001' > /proc/sys/net/ipv4/ip_local_port_range";

/// A program in a network of its own, after these lines of the shell.
fn in_network(home: &Home, lines: &[&str], words: &[&str]) -> Run {
    let lines = ["ip link set lo up"].iter().chain(lines).copied().collect::<Vec<_>>().join(" && ");
    let run = home.run("unshare").args(["-rn", "sh", "-c", &format!("{lines} && exec \"$0\" \"$@\"")]);
    run.args(words)
}

/// What `loopback` says.
async fn told(lines: &[&str], words: &[&str]) -> String {
    let words = [&[env!("CARGO_BIN_EXE_loopback")], words].concat();
    let ended = in_network(&Home::default(), lines, &words).end().await.expect(0);
    ended.line().to_owned()
}

#[tokio::test]
async fn the_answer_comes_on_the_families_that_are_there() {
    if !Need::Networks.is_met("S-14") {
        return;
    }
    let families = async |line: &str| {
        let told = told(&[line], &["http://localhost"]).await;
        told.split_once(' ').unwrap().1.to_owned()
    };
    assert_eq!(families(BOTH).await, "IPv4 IPv6");
    assert_eq!(families(V4_ALONE).await, "IPv4");
    assert_eq!(families(V6_ALONE).await, "IPv6");
    for line in [BOTH, V4_ALONE, V6_ALONE] {
        assert!(told(&[line], &["http://localhost:8400"]).await.starts_with("8400 IPv"), "{line}");
    }
    report("S-14", "signed in where there is IPv4 and IPv6, IPv4 alone, IPv6 alone");
}

/// The program with an identity provider and a robot, where there is no IPv6.
#[tokio::test]
async fn a_whole_sign_in_without_ipv6() {
    if Need::Networks.is_met("S-14") {
        let home = Home::default();
        let demo = in_network(&home, &[V4_ALONE], &[program().to_str().unwrap(), "demo", "--browser", "robot"]);
        demo.end().await.expect(0);
    }
}

#[tokio::test]
async fn a_squatter_costs_another_port_or_an_error_that_says_what_to_do() {
    if !Need::Networks.is_met("S-14") {
        return;
    }
    for held in ["[::1]", "127.0.0.1"] {
        for (squatted, left) in [("40000", "40001"), ("40001", "40000")] {
            let told = told(&[TWO_PORTS], &["http://localhost", &format!("{held}:{squatted}")]).await;
            assert_eq!(told, format!("{left} IPv4 IPv6"), "{held}:{squatted} is held");
        }
        let both = told(&[TWO_PORTS], &["http://localhost", &format!("{held}:40000"), &format!("{held}:40001")]).await;
        assert!(both.starts_with("error: ") && both.contains("port"), "{both}");
        let fixed = told(&[BOTH], &["http://localhost:8400", &format!("{held}:8400")]).await;
        assert_eq!(
            fixed,
            "error: port 8400 is in use by another program; stop it, or use a redirect URI without a port"
        );
    }
    report("S-14", "a squatter on either family, of one port, of all, and of the one that is asked for");
}
