//! Transports other than reqwest.

use std::io::Read as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth::{Transport, TransportError, TransportFault};
use auth_core::Body;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;

/// A transport over ureq, a blocking client.
#[derive(Clone, Debug)]
pub struct UreqTransport(ureq::Agent);

impl Default for UreqTransport {
    fn default() -> Self {
        let config = ureq::Agent::config_builder()
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(60)));
        Self(config.build().into())
    }
}

impl Transport for UreqTransport {
    async fn send(&self, request: Request<Body>) -> Result<Response<Bytes>, TransportError> {
        let agent = self.0.clone();
        let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        let failed = move |error: ureq::Error| {
            let detail = error.to_string();
            match error {
                ureq::Error::ConnectionFailed | ureq::Error::HostNotFound => {
                    TransportError::before_send(TransportFault::Connect, host.clone(), detail)
                }
                _ => TransportError::after_send(TransportFault::Interrupted, host.clone(), detail),
            }
        };
        let work = move || {
            let request = request.map(|body| body.into_bytes().to_vec());
            let mut response = agent.run(request).map_err(&failed)?;
            let mut body = Vec::new();
            let mut reader = response.body_mut().as_reader().take(1 << 20);
            reader.read_to_end(&mut body).map_err(|error| failed(error.into()))?;
            Ok(response.map(|_| Bytes::from(body)))
        };
        tokio::task::spawn_blocking(work).await.unwrap()
    }
}

/// Forwards to another transport and records the secrets that pass through. Clones share them.
#[derive(Debug)]
pub struct Recording<T> {
    inner: Arc<T>,
    secrets: Arc<Mutex<Vec<(String, String)>>>,
}

impl<T> Clone for Recording<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), secrets: Arc::clone(&self.secrets) }
    }
}

impl<T> Recording<T> {
    /// Wraps `inner`.
    pub fn over(inner: T) -> Self {
        Self { inner: Arc::new(inner), secrets: Arc::default() }
    }

    /// Returns the secrets so far, each with the name of its field.
    pub fn secrets(&self) -> Vec<(String, String)> {
        self.secrets.lock().unwrap().clone()
    }

    fn keep(&self, name: &str, value: &str) {
        const SECRET: [&str; 6] = ["access_token", "refresh_token", "id_token", "code", "code_verifier", "device_code"];
        let mut secrets = self.secrets.lock().unwrap();
        let entry = (name.to_owned(), value.to_owned());
        if SECRET.contains(&name) && !secrets.contains(&entry) {
            secrets.push(entry);
        }
    }
}

impl<T: Transport> Transport for Recording<T> {
    async fn send(&self, request: Request<Body>) -> Result<Response<Bytes>, TransportError> {
        for (name, value) in form_urlencoded::parse(request.body().as_bytes()) {
            self.keep(&name, &value);
        }
        let response = Transport::send(&*self.inner, request).await?;
        if let Ok(Value::Object(members)) = serde_json::from_slice(response.body()) {
            for (name, value) in &members {
                self.keep(name, value.as_str().unwrap_or_default());
            }
        }
        Ok(response)
    }
}
