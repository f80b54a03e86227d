//! S-14: machines with a single address family, and ports that are in use in one of the families.

use auth_tests::plan::{Need, report};
use auth_tests::program::{Home, Run, program};

/// Shell commands that determine the address families of a network.
const BOTH: &str = "true";
const V4_ALONE: &str = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6";
const V6_ALONE: &str = "ip addr del 127.0.0.1/8 dev lo";
/// Leaves the system only two ports to choose from.
const TWO_PORTS: &str = "echo '40000 40001' > /proc/sys/net/ipv4/ip_local_port_range";

/// Prepares a program in a private network, after these shell commands.
fn in_network(home: &Home, lines: &[&str], words: &[&str]) -> Run {
    let lines = ["ip link set lo up"].iter().chain(lines).copied().collect::<Vec<_>>().join(" && ");
    let run = home.run("unshare").args(["-rn", "sh", "-c", &format!("{lines} && exec \"$0\" \"$@\"")]);
    run.args(words)
}

/// Runs `loopback`, and returns its output.
async fn output(lines: &[&str], words: &[&str]) -> String {
    let words = [&[env!("CARGO_BIN_EXE_loopback")], words].concat();
    let ended = in_network(&Home::default(), lines, &words).end().await.expect(0);
    ended.line().to_owned()
}

#[tokio::test]
async fn the_listener_uses_every_available_address_family() {
    if !Need::Networks.is_met("S-14") {
        return;
    }
    let families = async |line: &str| {
        let output = output(&[line], &["http://localhost"]).await;
        output.split_once(' ').unwrap().1.to_owned()
    };
    assert_eq!(families(BOTH).await, "IPv4 IPv6");
    assert_eq!(families(V4_ALONE).await, "IPv4");
    assert_eq!(families(V6_ALONE).await, "IPv6");
    for line in [BOTH, V4_ALONE, V6_ALONE] {
        assert!(output(&[line], &["http://localhost:8400"]).await.starts_with("8400 IPv"), "{line}");
    }
    report("S-14", "signed in with IPv4 and IPv6, with IPv4 only, with IPv6 only");
}

// The program with its own identity provider and robot.
#[tokio::test]
async fn the_demo_works_without_ipv6() {
    if Need::Networks.is_met("S-14") {
        let home = Home::default();
        let demo = in_network(&home, &[V4_ALONE], &[program().to_str().unwrap(), "demo", "--browser", "robot"]);
        demo.end().await.expect(0);
    }
}

#[tokio::test]
async fn a_port_in_use_is_avoided_or_reported_with_a_remedy() {
    if !Need::Networks.is_met("S-14") {
        return;
    }
    for held in ["[::1]", "127.0.0.1"] {
        for (squatted, left) in [("40000", "40001"), ("40001", "40000")] {
            let output = output(&[TWO_PORTS], &["http://localhost", &format!("{held}:{squatted}")]).await;
            assert_eq!(output, format!("{left} IPv4 IPv6"), "{held}:{squatted} is in use");
        }
        let both =
            output(&[TWO_PORTS], &["http://localhost", &format!("{held}:40000"), &format!("{held}:40001")]).await;
        assert!(both.starts_with("error: ") && both.contains("port"), "{both}");
        let fixed = output(&[BOTH], &["http://localhost:8400", &format!("{held}:8400")]).await;
        assert_eq!(
            fixed,
            "error: port 8400 is in use by another program; stop it, or use a redirect URI without a port"
        );
    }
    report("S-14", "in either family, one port in use, all ports in use, and the requested port in use");
}
