//! A listener whose connections a handler can cut, because an HTTP server has no other way to leave a request without a
//! response.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Listens on `127.0.0.1`.
pub(crate) struct LoopbackListener(TcpListener);

impl LoopbackListener {
    /// Binds a port; 0 picks a free one.
    pub(crate) async fn bind(port: u16) -> io::Result<(Self, u16)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = listener.local_addr()?.port();
        Ok((Self(listener), port))
    }
}

impl Listener for LoopbackListener {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => {
                    // Send small responses at once; if this fails, they are only slower.
                    let _ = stream.set_nodelay(true);
                    return (Wire { stream, cutter: Cutter::default() }, address);
                }
                // Out of descriptors, or the peer has disconnected: keep accepting.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection that a [`Cutter`] may cut.
pub(crate) struct Wire {
    stream: TcpStream,
    cutter: Cutter,
}

/// Cuts its connection. Anything the server writes afterwards is discarded.
#[derive(Clone, Default)]
pub(crate) struct Cutter(Arc<Mutex<Option<Cut>>>);

struct Cut {
    /// Sent instead of the response, before the connection ends.
    last_words: Vec<u8>,
    sent: usize,
    reset: bool,
}

impl Cutter {
    /// The peer gets a connection reset.
    pub(crate) fn reset(&self) {
        self.set(Cut { last_words: Vec::new(), sent: 0, reset: true });
    }

    /// The peer gets these bytes and the end of the connection.
    pub(crate) fn close_after(&self, last_words: Vec<u8>) {
        self.set(Cut { last_words, sent: 0, reset: false });
    }

    fn set(&self, cut: Cut) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cut);
    }
}

impl Connected<IncomingStream<'_, LoopbackListener>> for Cutter {
    fn connect_info(stream: IncomingStream<'_, LoopbackListener>) -> Self {
        stream.io().cutter.clone()
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { stream, cutter } = self.get_mut();
        let mut cut = cutter.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(cut) = cut.as_mut() else {
            return Pin::new(stream).poll_write(cx, bytes);
        };
        while let Some(rest) = cut.last_words.get(cut.sent..).filter(|rest| !rest.is_empty()) {
            cut.sent += ready!(Pin::new(&mut *stream).poll_write(cx, rest))?;
        }
        if cut.reset {
            stream.set_zero_linger()?;
        }
        Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}
