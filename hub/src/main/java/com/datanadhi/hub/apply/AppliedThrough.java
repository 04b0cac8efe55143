package com.datanadhi.hub.apply;

import com.datanadhi.hub.apply.ParkedTenants.Parked;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/// What `DIR/applied-through` says of a stream: a lower bound.
///
/// @param through everything before this offset is durable in every database it touches, or belongs
///   to a tenant in `parked`
/// @param epoch of the log record before `through`; empty if there is none
/// @param tenants how far each tenant's database was, durably
/// @param parked tenants whose log records were held back
/// @param unreadable offsets before `through` of log records that tell no tenant, with the reason
/// @param quarantined of these, how many an operator has skipped
/// @param lost offsets before `through` that are recorded as lost
/// @param proven when each sealed segment was proven, by its first offset, in milliseconds since
///   1970
public record AppliedThrough(
    long through,
    String epoch,
    Map<String, TenantMark> tenants,
    List<Parked> parked,
    SortedMap<Long, String> unreadable,
    long quarantined,
    long lost,
    SortedMap<Long, Long> proven) {}
