//! Queries that are not answered as described. A test fails once one of these is; then remove it here.

/// Required queries that are answered differently: the cache, the query and why.
pub(crate) const QUERIES: [(&str, &str, &str); 3] = [
    (
        "msal-node/l_ext_cache_key",
        "hit_plain",
        "MSAL Node dropped this token when it stored the next one: it is not in the file",
    ),
    (
        "msal-python/f_obo",
        "same_assertion_alice",
        "MSAL Python does not record the assertion of a token, which answers no other assertion of the user",
    ),
    ("msal-python/f_obo", "same_assertion_bob", "as for alice"),
];
