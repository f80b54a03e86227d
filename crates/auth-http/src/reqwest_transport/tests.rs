use core::time::Duration;

use auth_core::Exchange as _;
use auth_core::{Application, Authority, ClientId, CorrelationId, OpenIdConfiguration, RequestContext};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Serves one connection with the given bytes and sends one request to it.
async fn ask(answer: Vec<u8>) -> Result<Response<Bytes>, TransportError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0_u8; 4096];
        let read = stream.read(&mut head).await.unwrap();
        assert!(read > 0);
        // The client may close the connection early, which is not a failure of the server.
        drop(stream.write_all(&answer).await);
        drop(stream.shutdown().await);
    };
    let transport = ReqwestTransport::new();
    let (_, response) = tokio::join!(server, Transport::send(&transport, request(port)));
    response
}

fn request(port: u16) -> Request<Body> {
    let id = CorrelationId::generate(&mut rand::rngs::SysRng).unwrap();
    let context = RequestContext::new(Application::new(ClientId::new("c").unwrap()), id);
    let authority = Authority::oidc(&format!("http://127.0.0.1:{port}/op")).unwrap();
    OpenIdConfiguration::new(context, &authority).unwrap().request()
}

#[tokio::test]
async fn responses_are_returned_unchanged() {
    let answer = b"HTTP/1.1 418 I'm a teapot\r\nx-a: b\r\ncontent-length: 2\r\n\r\nhi".to_vec();
    let response = ask(answer).await.unwrap();
    assert_eq!((response.status().as_u16(), &response.headers()["x-a"]), (418, &"b".parse().unwrap()));
    assert_eq!(response.body(), "hi");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let answer = format!("HTTP/1.1 {status} X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(ask(answer.into_bytes()).await.unwrap().status().as_u16(), status);
    }
}

#[tokio::test]
async fn body_sizes_are_limited() {
    let announced = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", MAX_BODY + 1).into_bytes();
    assert_eq!(ask(announced).await.unwrap_err().fault, TransportFault::TooLarge);
    let mut endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    endless.resize(MAX_BODY + 1000, b'x');
    assert_eq!(ask(endless).await.unwrap_err().fault, TransportFault::TooLarge);
}

#[tokio::test]
async fn failures_tell_whether_the_request_may_have_been_sent() {
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhi".to_vec();
    let error = ask(cut).await.unwrap_err();
    assert_eq!((error.fault, error.may_have_been_sent), (TransportFault::Interrupted, true));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = Transport::send(&ReqwestTransport::new(), request(port)).await.unwrap_err();
    assert_eq!((error.fault, error.may_have_been_sent), (TransportFault::Connect, false));
    assert!(!error.to_string().contains("/op"), "no path in {error}");
}

#[tokio::test]
async fn plain_http_is_refused_for_other_machines() {
    let mut request = request(1);
    *request.uri_mut() = "http://idp.example/op".parse().unwrap();
    let error = Transport::send(&ReqwestTransport::new(), request).await.unwrap_err();
    assert!(error.to_string().contains("plain http"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn waits_end_in_time_and_share_a_timer() {
    let mut timer = pin!(sleep(TICK));
    // One after another, like the waits for the head and the parts of a body.
    for seconds in [20, 10, 10, 3, 25, 0] {
        let (begun, patience) = (Instant::now(), Duration::from_secs(seconds));
        assert_eq!(within(begun, patience, timer.as_mut(), std::future::pending::<()>()).await, None);
        let passed = begun.elapsed();
        assert!(passed >= patience && passed < patience + Duration::from_millis(5), "{passed:?} for {patience:?}");
        let slow = async {
            sleep(Duration::from_secs(12)).await;
            7
        };
        let expected = (seconds > 12).then_some(7);
        assert_eq!(within(Instant::now(), patience, timer.as_mut(), slow).await, expected);
    }
}

/// Sends one request to a server that answers with these bytes and then stalls.
async fn wait(answer: &[u8], timeouts: Timeouts) -> TransportError {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0_u8; 4096];
        drop(stream.read(&mut head).await);
        drop(stream.write_all(answer).await);
        std::future::pending().await
    };
    let transport = ReqwestTransport::new().with_timeouts(timeouts);
    tokio::select! {
        () = server => panic!("the server waits forever"),
        response = Transport::send(&transport, request(port)) => response.unwrap_err(),
    }
}

// S-54: every wait has a limit, which the application can change.
#[tokio::test]
async fn requests_to_a_stalled_server_time_out() {
    let short = Duration::from_millis(20);
    let default = Timeouts::default();
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhi";
    for (answer, timeouts, detail) in [
        (&b""[..], Timeouts { head: short, ..default }, "no answer in 20ms"),
        (b"HTTP/1.1 200 OK\r\ncontent-", Timeouts { head: short, ..default }, "no answer in 20ms"),
        (head, Timeouts { idle: short, ..default }, "no further bytes in 20ms"),
        (head, Timeouts { whole: short, ..default }, "no complete answer in 20ms"),
    ] {
        let error = wait(answer, timeouts).await;
        assert_eq!((error.fault, error.may_have_been_sent), (TransportFault::Timeout, true));
        assert_eq!(error.detail, detail);
    }
    let seconds = [default.connect, default.head, default.whole, default.idle].map(|time| time.as_secs());
    assert_eq!((seconds, default.slowest), ([10, 20, 60, 10], 1024));
}

#[tokio::test]
async fn a_server_that_sends_too_slowly_is_given_up() {
    let times = Timeouts { idle: Duration::from_secs(10), slowest: 1024, ..Timeouts::default() };
    for (received, seconds, is_too_slow) in
        [(0, 0, false), (0, 10, false), (0, 11, true), (1023, 11, true), (1024, 11, false), (1024, 12, true)]
    {
        assert_eq!(times.is_too_slow(received, Duration::from_secs(seconds)), is_too_slow, "{received} {seconds}");
    }

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0_u8; 4096];
        assert!(stream.read(&mut head).await.unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        // Byte by byte, until the client has had enough.
        while stream.write_all(b"x").await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    let times = Timeouts { idle: Duration::from_millis(100), slowest: u64::MAX, ..Timeouts::default() };
    let transport = ReqwestTransport::new().with_timeouts(times);
    let (response, ()) = tokio::join!(Transport::send(&transport, request(port)), server);
    let error = response.unwrap_err();
    assert!(error.detail.starts_with("less than"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_may_be_short() {
    let begun = Instant::now();
    tokio::time::advance(Duration::from_secs(15)).await;
    let answer = reqwest::Response::from(Response::new("hi"));
    let (uri, timer) = (Uri::from_static("https://idp.example/t"), pin!(sleep(TICK)));
    assert_eq!(body(&uri, answer, begun, timer, &Timeouts::default()).await.unwrap(), "hi");
}
