//! What is not as described yet, or cannot be. A test fails as soon as an entry here works; then it goes.

/// Required queries that are answered otherwise: the cache, the query, and why.
pub(crate) const QUERIES: [(&str, &str, &str); 3] = [
    (
        "msal-node/l_ext_cache_key",
        "hit_plain",
        "MSAL Node dropped this token when it stored the next: it is not in the file",
    ),
    (
        "msal-python/f_obo",
        "same_assertion_alice",
        "MSAL Python does not write down with which assertion a token was got, and another one of the user must not get it",
    ),
    ("msal-python/f_obo", "same_assertion_bob", "the same"),
];
