package com.datanadhi.hub.bench;

import com.datanadhi.hub.admin.AdminClient;
import java.nio.file.Path;

/// Creates API keys for many tenants of a running hub, as a program, and prints them, one a line.
///
/// Arguments: data directory, number of tenants.
public final class CreateKeys {
  private CreateKeys() {}

  public static void main(String[] arguments) throws Exception {
    try (AdminClient client = AdminClient.connect(Path.of(arguments[0]))) {
      if (client == null) {
        throw new IllegalStateException("no hub runs on " + arguments[0]);
      }
      for (int tenant = 0; tenant < Integer.parseInt(arguments[1]); tenant++) {
        System.out.println(client.createKey("tenant-" + tenant, null).key());
      }
    }
  }
}
