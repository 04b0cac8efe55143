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
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
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
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.PutObjectResponse;
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
/// Each request runs on a virtual thread of its own, since only there an interrupt or a limit of
/// time ends a write to a server that takes no more bytes. An interrupt of the caller, on whatever
/// thread, ends its call at once; only the removal of parts takes up to 3 s more. Reading what
/// `open` returned is done by the caller, and has no other limit than 20 s without a byte.
///
/// `head` cannot tell a bucket that does not exist from an object that does not.
///
/// The AWS SDK is loaded by the first call.
public final class S3Store implements ObjectStore {
  /// Also the size above which an object is sent in parts. Each attempt sends a part as a whole.
  private static final long PART_BYTES = 64L << 20;

  private static final int MAX_PARTS = 10_000;
  private static final int MAX_CONFLICTS = 5;
  private static final Duration CONFLICT_PAUSE = Duration.ofMillis(200);
  private static final String TYPE = "application/octet-stream";

  /// For what an interrupt does not end, such as the look-up of a host's name.
  private static final Duration MORE_THAN_THE_SDK = Duration.ofSeconds(1);

  /// What an interrupted call may take to remove its parts.
  private static final Duration LAST_REMOVAL = Duration.ofSeconds(2);

  private final S3Settings settings;
  private final S3Failures failures;
  private @Nullable S3Client client;

  S3Store(S3Settings settings) {
    this.settings = settings;
    this.failures = new S3Failures(settings);
  }

  /// How long a request may take.
  private record Limits(Duration attempt, Duration all) {
    void set(AwsRequestOverrideConfiguration.Builder override) {
      override.apiCallAttemptTimeout(attempt).apiCallTimeout(all);
    }
  }

  private Limits limits(long bytes) {
    Duration attempt = settings.timeouts().attempt(bytes);
    return new Limits(attempt, attempt.multipliedBy(S3Clients.MAX_ATTEMPTS));
  }

  @FunctionalInterface
  private interface Request<T> {
    T send(S3Client client, Consumer<AwsRequestOverrideConfiguration.Builder> limits);
  }

  private synchronized S3Client client() {
    S3Client made = client;
    if (made == null) {
      made = S3Clients.create(settings);
      client = made;
    }
    return made;
  }

  private <T> T send(String what, Limits limits, Request<T> request)
      throws ObjectStoreException, InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    FutureTask<T> task = new FutureTask<>(() -> request.send(client(), limits::set));
    var _ = Thread.ofVirtual().name("s3-request").start(task);
    try {
      return task.get(limits.all().plus(MORE_THAN_THE_SDK).toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException failed) {
      throw failure(what, failed);
    } catch (TimeoutException late) {
      throw failures.of(
          what, ApiCallTimeoutException.create("the request did not end in time", late));
    } finally {
      // Interrupts the request if it has not ended.
      boolean _ = task.cancel(true);
    }
  }

  private ObjectStoreException failure(String what, ExecutionException failed) {
    return switch (failed.getCause()) {
      case SdkException failure -> failures.of(what, failure);
      case UncheckedIOException failure -> unreadable(Objects.requireNonNull(failure.getCause()));
      case RuntimeException wrong -> throw wrong;
      case Error fatal -> throw fatal;
      case null, default -> throw new IllegalStateException(failed);
    };
  }

  private static ObjectStoreException unreadable(IOException failure) {
    return new ObjectStoreException(
        Kind.REFUSED, "cannot read the file to be stored: " + failure.getMessage(), failure);
  }

  @Override
  public boolean create(String key, byte[] content)
      throws ObjectStoreException, InterruptedException {
    ObjectKeys.check(key);
    return put(
        key,
        content.length,
        (s3, put) ->
            s3.putObject(
                put,
                RequestBody.fromContentProvider(
                    () -> new ByteArrayInputStream(content), content.length, TYPE)));
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
    return put(
        key,
        bytes,
        (s3, put) -> {
          try (FilePart whole = new FilePart(content, 0, bytes)) {
            return s3.putObject(put, RequestBody.fromContentProvider(whole, bytes, TYPE));
          }
        });
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

  private boolean put(
      String key, long bytes, BiFunction<S3Client, PutObjectRequest, PutObjectResponse> request)
      throws ObjectStoreException, InterruptedException {
    try {
      return once(() ->
          send(
              key + " cannot be created",
              limits(bytes),
              (s3, limits) ->
                  request.apply(
                      s3,
                      PutObjectRequest.builder()
                          .bucket(settings.bucket())
                          .key(full(key))
                          .ifNoneMatch("*")
                          .overrideConfiguration(limits)
                          .build())));
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
            limits(0),
            (s3, limits) ->
                s3.createMultipartUpload(create ->
                        create
                            .bucket(settings.bucket())
                            .key(full(key))
                            .checksumAlgorithm(partChecksum())
                            .overrideConfiguration(limits))
                    .uploadId());
    try {
      List<CompletedPart> parts = sendParts(key, upload, content, bytes);
      send(
          what,
          // The store puts the parts together meanwhile.
          limits(PART_BYTES),
          (s3, limits) ->
              s3.completeMultipartUpload(complete ->
                  complete
                      .bucket(settings.bucket())
                      .key(full(key))
                      .uploadId(upload)
                      .ifNoneMatch("*")
                      .multipartUpload(all -> all.parts(parts))
                      .overrideConfiguration(limits)));
    } catch (ObjectStoreException failed) {
      abort(key, upload, limits(0), failed);
      throw failed;
    } catch (InterruptedException interrupted) {
      abort(key, upload, new Limits(LAST_REMOVAL, LAST_REMOVAL), interrupted);
      throw interrupted;
    }
  }

  private List<CompletedPart> sendParts(String key, String upload, Path content, long bytes)
      throws ObjectStoreException, InterruptedException {
    long partBytes = Math.max(PART_BYTES, (bytes + MAX_PARTS - 1) / MAX_PARTS);
    List<CompletedPart> parts = new ArrayList<>();
    for (long begin = 0; begin < bytes; begin += partBytes) {
      int number = parts.size() + 1;
      long length = Math.min(partBytes, bytes - begin);
      UploadPartResponse sent = sendPart(key, upload, number, content, begin, length);
      parts.add(
          CompletedPart.builder()
              .partNumber(number)
              .eTag(sent.eTag())
              .checksumCRC32(partChecksum() == null ? null : sent.checksumCRC32())
              .build());
    }
    return parts;
  }

  private UploadPartResponse sendPart(
      String key, String upload, int number, Path content, long begin, long length)
      throws ObjectStoreException, InterruptedException {
    return send(
        key + " cannot be created",
        limits(length),
        (s3, limits) -> {
          try (FilePart part = new FilePart(content, begin, length)) {
            return s3.uploadPart(
                request ->
                    request
                        .bucket(settings.bucket())
                        .key(full(key))
                        .uploadId(upload)
                        .partNumber(number)
                        .checksumAlgorithm(partChecksum())
                        .overrideConfiguration(limits),
                RequestBody.fromContentProvider(part, length, TYPE));
          }
        });
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

  private void abort(String key, String upload, Limits limits, Exception reason) {
    try {
      send(
          key + ": its parts cannot be removed",
          limits,
          (s3, set) ->
              s3.abortMultipartUpload(abort ->
                  abort
                      .bucket(settings.bucket())
                      .key(full(key))
                      .uploadId(upload)
                      .overrideConfiguration(set)));
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
              limits(0),
              (s3, limits) ->
                  s3.headObject(request ->
                      request
                          .bucket(settings.bucket())
                          .key(full(key))
                          .overrideConfiguration(limits)));
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
            limits(0),
            (s3, limits) -> s3.getObject(get(key, limits), ResponseTransformer.toInputStream())));
  }

  @Override
  public byte[] read(String key, int maxBytes) throws ObjectStoreException, InterruptedException {
    ObjectKeys.check(key);
    Optional<byte[]> content =
        send(
            key + " cannot be read",
            limits(maxBytes),
            (s3, limits) ->
                s3.getObject(get(key, limits), (answer, in) -> readAll(answer, in, maxBytes)));
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

  private Consumer<GetObjectRequest.Builder> get(
      String key, Consumer<AwsRequestOverrideConfiguration.Builder> limits) {
    return request ->
        request
            .bucket(settings.bucket())
            .key(full(key))
            .checksumMode(contentChecksum())
            .overrideConfiguration(limits);
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
        limits(0),
        (s3, limits) ->
            s3.listObjectsV2(list ->
                list.bucket(settings.bucket())
                    .prefix(full(prefix))
                    .delimiter(delimiter)
                    .continuationToken(continuation)
                    .overrideConfiguration(limits)));
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
              limits(0),
              (s3, limits) ->
                  s3.deleteObject(delete ->
                      delete
                          .bucket(settings.bucket())
                          .key(full(key))
                          .overrideConfiguration(limits)));
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
