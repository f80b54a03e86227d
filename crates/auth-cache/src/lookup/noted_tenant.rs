//! Which tenant a domain name means, as it was noted when tokens came (S-82).

use auth_core::text::same;
use auth_core::{Authority, Tenant};

use crate::document::{Partition, entries};

/// The id of the tenant that the authority names by its domain, where tokens of the account tell it and agree. Once the name
/// has moved to another tenant, only the provider knows.
pub(super) fn noted_tenant_id<'a>(partition: &'a Partition, authority: &Authority) -> Option<&'a str> {
    let domain = authority.tenant_name().filter(|_| authority.wants_tenant_id()).map(Tenant::as_str)?;
    let mut noted = entries(&partition.accounts)
        .filter(|entry| authority.is_environment(&entry.account.environment) && entry.is_of_domain(domain))
        .map(|entry| entry.account.realm.as_str());
    let id = noted.next()?;
    noted.all(|other| same(other, id)).then_some(id)
}
