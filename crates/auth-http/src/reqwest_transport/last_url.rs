//! The URL of the last request, which the next request usually has, too.

use std::sync::{Mutex, PoisonError};

use http::Uri;
use reqwest::Url;

/// Converts URIs to URLs, and remembers one: parsing it is most of what a transport does before it sends a request.
#[derive(Default)]
pub(super) struct LastUrl(Mutex<Option<(Uri, Url)>>);

impl LastUrl {
    /// The URL, or why the URI is none.
    pub(super) fn convert(&self, uri: &Uri) -> Result<Url, String> {
        // A panic cannot leave half of a pair, so ignore poisoning.
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, url)) = &*last
            && known == uri
        {
            return Ok(url.clone());
        }
        let url = Url::parse(&uri.to_string()).map_err(|error| error.to_string())?;
        *last = Some((uri.clone(), url.clone()));
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_uri_is_converted_whatever_was_converted_before() {
        let last = LastUrl::default();
        for uri in ["https://a.example/t", "https://a.example/t", "https://a.example/t?x=1", "https://b.example/t"] {
            assert_eq!(last.convert(&uri.parse().unwrap()).unwrap().as_str(), uri);
        }
        assert!(last.convert(&Uri::from_static("/t")).is_err());
        assert_eq!(last.convert(&Uri::from_static("https://b.example/t")).unwrap().as_str(), "https://b.example/t");
    }
}
