package com.datanadhi.hub.intake;

import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;

/// What intake uses of [TenantDatabases].
interface View {
  boolean exists(String tenant);

  <T> T read(String tenant, TenantDatabases.Reading<T> work)
      throws ViewException, InterruptedException;

  static View of(TenantDatabases databases) {
    return new View() {
      @Override
      public boolean exists(String tenant) {
        return databases.exists(tenant);
      }

      @Override
      public <T> T read(String tenant, TenantDatabases.Reading<T> work)
          throws ViewException, InterruptedException {
        return databases.read(tenant, work);
      }
    };
  }
}
