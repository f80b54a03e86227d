//! Local identity provider.
