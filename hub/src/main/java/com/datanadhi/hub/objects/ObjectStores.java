package com.datanadhi.hub.objects;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;

/// Opens object stores by their address.
public final class ObjectStores {
  private ObjectStores() {}

  /// Opens a store. Nothing is read or written yet: [StoreProbe] does that.
  ///
  /// @param url `file:/absolute/path`, `file:relative/path` (below the working directory),
  ///   `s3://bucket` or `s3://bucket/prefix`
  /// @param environment the variables of the process, of which S3 needs some: `AWS_REGION`, or
  ///   `AWS_DEFAULT_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`,
  ///   `HUB_S3_ENDPOINT`, before `AWS_ENDPOINT_URL_S3` and `AWS_ENDPOINT_URL`, `HUB_S3_PATH_STYLE`
  ///   (`true` or `false`), `AWS_REQUEST_CHECKSUM_CALCULATION` and
  ///   `AWS_RESPONSE_CHECKSUM_VALIDATION` (`when_supported` or `when_required`). What is not there,
  ///   the AWS SDK looks for where it always does: profiles, containers, instances.
  /// @throws IllegalArgumentException the address or a variable has no meaning; the message says
  ///   how to write it
  public static ObjectStore open(String url, Map<String, String> environment) {
    if (url.startsWith("s3://")) {
      return new S3Store(S3Settings.of(url, environment));
    }
    if (url.startsWith("file:") && !url.startsWith("file://") && url.length() > "file:".length()) {
      try {
        Path folder = Path.of(url.substring("file:".length()));
        return new FolderStore(folder.toAbsolutePath().normalize());
      } catch (InvalidPathException invalid) {
        throw new IllegalArgumentException("'" + url + "': " + invalid.getReason(), invalid);
      }
    }
    throw new IllegalArgumentException(
        "'"
            + url
            + "' is no object store: file:/absolute/path, file:relative/path, s3://bucket or"
            + " s3://bucket/prefix");
  }
}
