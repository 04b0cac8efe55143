package com.datanadhi.hub.view;

/// Changes what the records of `_control` mean, in the same transaction as the rest of its
/// canonical.db. Not thread-safe; valid only within the call of [TenantDatabases#write].
public interface ControlWriter extends ControlReader, ControlChanges {}
