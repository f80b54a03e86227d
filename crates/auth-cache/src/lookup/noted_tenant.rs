//! The tenant that a domain name means, as noted when tokens arrived (S-82).

use auth_core::text::same;
use auth_core::{Authority, Tenant};

use crate::document::{Partition, entries};

/// The ID of the tenant that the authority names by domain, if the account's entries note it and agree. If they
/// disagree, the name has moved to another tenant, and only the provider knows which.
pub(super) fn noted_tenant_id<'a>(partition: &'a Partition, authority: &Authority) -> Option<&'a str> {
    let domain = authority.tenant_name().filter(|_| authority.wants_tenant_id()).map(Tenant::as_str)?;
    let mut noted = entries(&partition.accounts)
        .filter(|entry| authority.is_environment(&entry.account.environment) && entry.is_of_domain(domain))
        .map(|entry| entry.account.realm.as_str());
    let id = noted.next()?;
    noted.all(|other| same(other, id)).then_some(id)
}
