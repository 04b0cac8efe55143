package com.datanadhi.hub.cli;

import com.datanadhi.hub.record.TenantName;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// `--tenant-id`, where it is required.
final class TenantFlag {
  @Option(
      names = "--tenant-id",
      paramLabel = "T",
      required = true,
      description = "The tenant: 1 to 64 characters of a-z, 0-9, _ and -.")
  private @Nullable String tenant;

  String tenant() {
    return check(String.valueOf(tenant));
  }

  static String check(String tenant) {
    if (!TenantName.isValid(tenant)) {
      throw new UsageException(
          "--tenant-id: '"
              + tenant
              + "': a tenant's name has 1 to 64 characters of a-z, 0-9, _ and -, and begins with a"
              + " letter or a digit");
    }
    return tenant;
  }
}
