package com.datanadhi.hub.objects;

import com.datanadhi.hub.objects.ObjectStoreException.Kind;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.RetryableException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.ChecksumMode;
import software.amazon.awssdk.services.s3.model.CommonPrefix;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.S3Object;
import software.amazon.awssdk.services.s3.model.UploadPartResponse;

/// A bucket of S3, or a part of it below a prefix, as object store. Thread-safe.
///
/// An object is created by a request with `If-None-Match: *`; one of more than 64 MiB in parts, and
/// the condition is on the request that completes it. A process that is killed meanwhile leaves
/// parts behind, which only a rule of the bucket removes (`AbortIncompleteMultipartUpload`). A
/// server that ignores the condition would change objects: [StoreProbe] finds that.
///
/// A request is tried up to three times, and each attempt has a limit of time: 5 s for a
/// connection, 20 s without a byte, 30 s as a whole and another second for each 256 KiB of content.
/// If the answer to the first attempt to create an object is lost, the next attempt finds the
/// object and `create` returns false: callers compare the content.
///
/// It is to be called on virtual threads: there an interrupt, and the limit of an attempt, end a
/// call at once. On a platform thread they do not end a write to a server that takes no more bytes.
///
/// `head` cannot tell a bucket that does not exist from an object that does not.
///
/// The AWS SDK is loaded by the first call.
public final class S3Store implements ObjectStore {
  /// Also the size above which an object is sent in parts. Each attempt sends a part as a whole.
  private static final long PART_BYTES = 64L << 20;

  private static final int MAX_PARTS = 10_000;
  private static final long BYTES_PER_SECOND = 256 << 10;
  private static final int MAX_CONFLICTS = 5;
  private static final Duration CONFLICT_PAUSE = Duration.ofMillis(200);
  private static final String TYPE = "application/octet-stream";

  private final S3Settings settings;
  private final S3Failures failures;
  private @Nullable S3Client client;

  S3Store(S3Settings settings) {
    this.settings = settings;
    this.failures = new S3Failures(settings);
  }

  @FunctionalInterface
  private interface Request<T> {
    T send(S3Client client);
  }

  private synchronized S3Client client() {
    S3Client made = client;
    if (made == null) {
      made = S3Clients.create(settings);
      client = made;
    }
    return made;
  }

  private <T> T send(String what, Request<T> request)
      throws ObjectStoreException, InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    try {
      return request.send(client());
    } catch (SdkException failed) {
      throw failures.of(what, failed);
    } catch (UncheckedIOException unreadable) {
      throw unreadable(Objects.requireNonNull(unreadable.getCause()));
    }
  }

  private static ObjectStoreException unreadable(IOException failure) {
    return new ObjectStoreException(
        Kind.REFUSED, "cannot read the file to be stored: " + failure.getMessage(), failure);
  }

  private Consumer<AwsRequestOverrideConfiguration.Builder> timeout(long bytes) {
    Duration attempt = settings.timeouts().attempt().plusSeconds(bytes / BYTES_PER_SECOND);
    return override ->
        override.apiCallAttemptTimeout(attempt).apiCallTimeout(attempt.multipliedBy(3));
  }

  @Override
  public boolean create(String key, byte[] content)
      throws ObjectStoreException, InterruptedException {
    ObjectKeys.check(key);
    return put(
        key,
        content.length,
        RequestBody.fromContentProvider(
            () -> new ByteArrayInputStream(content), content.length, TYPE));
  }

  @Override
  public boolean create(String key, Path content)
      throws ObjectStoreException, InterruptedException {
    ObjectKeys.check(key);
    long bytes;
    try (InputStream _ = new FileInputStream(content.toFile())) {
      bytes = Files.size(content);
    } catch (IOException failed) {
      throw unreadable(failed);
    }
    if (bytes > PART_BYTES) {
      return putInParts(key, content, bytes);
    }
    try (FilePart whole = new FilePart(content, 0, bytes)) {
      return put(key, bytes, RequestBody.fromContentProvider(whole, bytes, TYPE));
    }
  }

  /// Something is created by a request, which S3 can answer with the conflict of two at a time.
  @FunctionalInterface
  private interface Creation {
    void send() throws ObjectStoreException, InterruptedException;
  }

  /// @return whether the object was created, and not there before
  private static boolean once(Creation creation) throws ObjectStoreException, InterruptedException {
    for (int conflicts = 0; ; conflicts++) {
      try {
        creation.send();
        return true;
      } catch (ObjectStoreException failed) {
        int status =
            failed.getCause() instanceof AwsServiceException answer ? answer.statusCode() : 0;
        if (status == 412) {
          return false;
        }
        if (status != 409 || conflicts == MAX_CONFLICTS) {
          throw failed;
        }
        Thread.sleep(CONFLICT_PAUSE);
      }
    }
  }

  private boolean put(String key, long bytes, RequestBody content)
      throws ObjectStoreException, InterruptedException {
    try {
      return once(() ->
          send(
              key + " cannot be created",
              s3 ->
                  s3.putObject(
                      put ->
                          put.bucket(settings.bucket())
                              .key(full(key))
                              .ifNoneMatch("*")
                              .overrideConfiguration(timeout(bytes)),
                      content)));
    } catch (ObjectStoreException failed) {
      if (S3Failures.isBrokenExchange(failed) && head(key) != null) {
        return false;
      }
      throw failed;
    }
  }

  private boolean putInParts(String key, Path content, long bytes)
      throws ObjectStoreException, InterruptedException {
    // Saves sending it: the condition is only looked at when all of it is there.
    if (head(key) != null) {
      return false;
    }
    return once(() -> sendInParts(key, content, bytes));
  }

  private void sendInParts(String key, Path content, long bytes)
      throws ObjectStoreException, InterruptedException {
    String what = key + " cannot be created";
    String upload =
        send(
            what,
            s3 ->
                s3.createMultipartUpload(create ->
                        create
                            .bucket(settings.bucket())
                            .key(full(key))
                            .checksumAlgorithm(partChecksum())
                            .overrideConfiguration(timeout(0)))
                    .uploadId());
    try {
      List<CompletedPart> parts = sendParts(key, upload, content, bytes);
      send(
          what,
          s3 ->
              s3.completeMultipartUpload(complete ->
                  complete
                      .bucket(settings.bucket())
                      .key(full(key))
                      .uploadId(upload)
                      .ifNoneMatch("*")
                      .multipartUpload(all -> all.parts(parts))
                      // The store puts the parts together meanwhile.
                      .overrideConfiguration(timeout(PART_BYTES))));
    } catch (ObjectStoreException | InterruptedException failed) {
      abort(key, upload, failed);
      throw failed;
    }
  }

  private List<CompletedPart> sendParts(String key, String upload, Path content, long bytes)
      throws ObjectStoreException, InterruptedException {
    long partBytes = Math.max(PART_BYTES, (bytes + MAX_PARTS - 1) / MAX_PARTS);
    List<CompletedPart> parts = new ArrayList<>();
    for (long begin = 0; begin < bytes; begin += partBytes) {
      int number = parts.size() + 1;
      long length = Math.min(partBytes, bytes - begin);
      UploadPartResponse sent;
      try (FilePart part = new FilePart(content, begin, length)) {
        sent = sendPart(key, upload, number, RequestBody.fromContentProvider(part, length, TYPE));
      }
      parts.add(
          CompletedPart.builder()
              .partNumber(number)
              .eTag(sent.eTag())
              .checksumCRC32(partChecksum() == null ? null : sent.checksumCRC32())
              .build());
    }
    return parts;
  }

  private UploadPartResponse sendPart(String key, String upload, int number, RequestBody content)
      throws ObjectStoreException, InterruptedException {
    long bytes = content.optionalContentLength().orElseThrow();
    return send(
        key + " cannot be created",
        s3 ->
            s3.uploadPart(
                part ->
                    part.bucket(settings.bucket())
                        .key(full(key))
                        .uploadId(upload)
                        .partNumber(number)
                        .checksumAlgorithm(partChecksum())
                        .overrideConfiguration(timeout(bytes)),
                content));
  }

  /// That of the whole must be told first, and then that of each part, or none.
  private @Nullable ChecksumAlgorithm partChecksum() {
    return settings.onlyRequired("AWS_REQUEST_CHECKSUM_CALCULATION")
        ? null
        : ChecksumAlgorithm.CRC32;
  }

  /// Without it the SDK does not compare the checksum of what it reads.
  private @Nullable ChecksumMode contentChecksum() {
    return settings.onlyRequired("AWS_RESPONSE_CHECKSUM_VALIDATION") ? null : ChecksumMode.ENABLED;
  }

  private void abort(String key, String upload, Exception reason) {
    try {
      send(
          key + ": its parts cannot be removed",
          s3 ->
              s3.abortMultipartUpload(abort ->
                  abort
                      .bucket(settings.bucket())
                      .key(full(key))
                      .uploadId(upload)
                      .overrideConfiguration(timeout(0))));
    } catch (ObjectStoreException failed) {
      reason.addSuppressed(failed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public @Nullable ObjectInfo head(String key) throws ObjectStoreException, InterruptedException {
    ObjectKeys.check(key);
    try {
      HeadObjectResponse head =
          send(
              key + " cannot be looked at",
              s3 ->
                  s3.headObject(request ->
                      request
                          .bucket(settings.bucket())
                          .key(full(key))
                          .overrideConfiguration(timeout(0))));
      return new ObjectInfo(key, head.contentLength(), head.lastModified().toEpochMilli());
    } catch (ObjectStoreException failed) {
      if (failed.kind() == Kind.MISSING) {
        return null;
      }
      throw failed;
    }
  }

  @Override
  public InputStream open(String key) throws ObjectStoreException, InterruptedException {
    ObjectKeys.check(key);
    return new S3Content(
        send(
            key + " cannot be read",
            s3 -> s3.getObject(get(key, 0), ResponseTransformer.toInputStream())));
  }

  @Override
  public byte[] read(String key, int maxBytes) throws ObjectStoreException, InterruptedException {
    ObjectKeys.check(key);
    Optional<byte[]> content =
        send(
            key + " cannot be read",
            s3 -> s3.getObject(get(key, maxBytes), (answer, in) -> readAll(answer, in, maxBytes)));
    return content.orElseThrow(() ->
        new ObjectStoreException(
            Kind.REFUSED,
            settings.url() + ": " + key + " is larger than " + maxBytes + " bytes",
            null));
  }

  /// @return empty if there is more content than allowed
  private static Optional<byte[]> readAll(
      GetObjectResponse answer, AbortableInputStream in, int maxBytes) {
    if (answer.contentLength() > maxBytes) {
      in.abort();
      return Optional.empty();
    }
    try {
      byte[] content = in.readNBytes(maxBytes);
      if (content.length < answer.contentLength()) {
        throw new EOFException("the answer ends too early");
      }
      // At the end the SDK compares the checksum.
      int end = in.read();
      if (end != -1) {
        throw new IOException("the answer is longer than it says");
      }
      return Optional.of(content);
    } catch (IOException failed) {
      throw RetryableException.create("the content could not be read", failed);
    }
  }

  private Consumer<GetObjectRequest.Builder> get(String key, long bytes) {
    return request ->
        request
            .bucket(settings.bucket())
            .key(full(key))
            .checksumMode(contentChecksum())
            .overrideConfiguration(timeout(bytes));
  }

  /// {@inheritDoc} A page of up to 1,000 is in memory at a time.
  @Override
  public void list(String prefix, Sink sink) throws ObjectStoreException, InterruptedException {
    ObjectKeys.checkPrefix(prefix);
    String next = null;
    do {
      ListObjectsV2Response page = page(prefix, null, next);
      for (S3Object object : page.contents()) {
        String key = object.key().substring(settings.prefix().length());
        // Others can have put something there.
        if (ObjectKeys.isKey(key)
            && !sink.accept(
                new ObjectInfo(key, object.size(), object.lastModified().toEpochMilli()))) {
          return;
        }
      }
      next = next(page);
    } while (next != null);
  }

  @Override
  public List<String> folders(String prefix) throws ObjectStoreException, InterruptedException {
    ObjectKeys.checkPrefix(prefix);
    List<String> folders = new ArrayList<>();
    String next = null;
    do {
      ListObjectsV2Response page = page(prefix, "/", next);
      for (CommonPrefix folder : page.commonPrefixes()) {
        String name =
            folder.prefix().substring(full(prefix).length(), folder.prefix().length() - 1);
        if (ObjectKeys.isName(name)) {
          folders.add(name);
        }
      }
      next = next(page);
    } while (next != null);
    folders.sort(null);
    return folders;
  }

  private ListObjectsV2Response page(
      String prefix, @Nullable String delimiter, @Nullable String continuation)
      throws ObjectStoreException, InterruptedException {
    return send(
        full(prefix) + " cannot be listed",
        s3 ->
            s3.listObjectsV2(list ->
                list.bucket(settings.bucket())
                    .prefix(full(prefix))
                    .delimiter(delimiter)
                    .continuationToken(continuation)
                    .overrideConfiguration(timeout(0))));
  }

  private static @Nullable String next(ListObjectsV2Response page) {
    return Boolean.TRUE.equals(page.isTruncated()) ? page.nextContinuationToken() : null;
  }

  @Override
  public void delete(String key) throws ObjectStoreException, InterruptedException {
    ObjectKeys.check(key);
    try {
      var _ =
          send(
              key + " cannot be deleted",
              s3 ->
                  s3.deleteObject(delete ->
                      delete
                          .bucket(settings.bucket())
                          .key(full(key))
                          .overrideConfiguration(timeout(0))));
    } catch (ObjectStoreException failed) {
      // S3 itself does not mind, but some servers do.
      if (failed.kind() != Kind.MISSING) {
        throw failed;
      }
    }
  }

  private String full(String key) {
    return settings.prefix() + key;
  }

  @Override
  public String url() {
    return settings.url();
  }

  @Override
  public synchronized void close() {
    if (client != null) {
      client.close();
    }
  }
}
