package com.datanadhi.hub.cli;

import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStores;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Where a command finds the object store: `--objects`, or the address that the hub of a data
/// directory has noted.
final class ObjectsFlags {
  @Option(
      names = "--objects",
      paramLabel = "URL",
      description =
          "The object store: file:PATH or s3://BUCKET/PREFIX (default: that of the hub of --data).")
  private @Nullable String url;

  /// Opens the store.
  ///
  /// @throws FailedException neither is there
  ObjectStore open(CommonFlags common, Map<String, String> environment) throws IOException {
    String given = url;
    if (given == null) {
      Path directory = common.data(environment);
      DataDirectory.checkKnown(directory);
      given = HubNotes.settings(directory).objects().url();
    }
    return open(given, environment);
  }

  /// Whether `--objects` was given.
  boolean isGiven() {
    return url != null;
  }

  /// Opens a store by its address.
  ///
  /// @throws UsageException the address has another form
  static ObjectStore open(String url, Map<String, String> environment) {
    try {
      return ObjectStores.open(url, environment);
    } catch (IllegalArgumentException wrong) {
      throw new UsageException("--objects: '" + url + "': " + wrong.getMessage());
    }
  }
}
