package com.datanadhi.hub.objects;

import com.datanadhi.hub.objects.ObjectStoreException.Kind;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.ApiCallAttemptTimeoutException;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkException;

/// What a failure of the AWS SDK means, and what to do about it. Messages have no credentials:
/// those of S3 and the SDK have none.
final class S3Failures {
  private final S3Settings settings;

  S3Failures(S3Settings settings) {
    this.settings = settings;
  }

  /// @param what was done, and to which object: `a/b cannot be read`
  ObjectStoreException of(String what, SdkException failure) {
    return failure instanceof AwsServiceException answer
        ? answered(what, answer)
        : notAnswered(what, failure);
  }

  /// Whether a connection was there and broke. A server that refuses a request before it has read
  /// all of it can close the connection at once, and then its answer is lost.
  static boolean isBrokenExchange(ObjectStoreException failure) {
    return failure.getCause() instanceof SdkClientException failed
        && failed.getCause() instanceof IOException reason
        && !(reason instanceof ConnectException)
        && !(reason instanceof UnknownHostException)
        && !(reason instanceof SocketTimeoutException);
  }

  static String code(AwsServiceException answer) {
    AwsErrorDetails details = answer.awsErrorDetails();
    return details == null || details.errorCode() == null ? "" : details.errorCode();
  }

  private ObjectStoreException answered(String what, AwsServiceException answer) {
    int status = answer.statusCode();
    return switch (code(answer)) {
      case "NoSuchBucket" ->
          failure(
              Kind.REFUSED,
              what,
              "there is no bucket " + settings.bucket() + ": create it, or name another",
              answer);
      case "InvalidAccessKeyId",
          "SignatureDoesNotMatch",
          "InvalidToken",
          "ExpiredToken",
          "InvalidClientTokenId",
          "TokenRefreshRequired" ->
          failure(
              Kind.REFUSED,
              what,
              "the credentials are wrong or have expired: check AWS_ACCESS_KEY_ID,"
                  + " AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the profile",
              answer);
      case "RequestTimeTooSkewed", "RequestExpired" ->
          failure(
              Kind.REFUSED,
              what,
              "the clocks of this machine and of the store differ too much: set this one's",
              answer);
      case "PermanentRedirect",
          "TemporaryRedirect",
          "AuthorizationHeaderMalformed",
          "IllegalLocationConstraintException",
          "IncorrectEndpoint" ->
          wrongRegion(what, answer);
      case "NoSuchKey" -> failure(Kind.MISSING, what, "there is no such object", answer);
      case "RequestTimeout",
          "IncompleteBody",
          "BadDigest",
          "XAmzContentSHA256Mismatch",
          "XAmzContentChecksumMismatch",
          "NoSuchUpload",
          "OperationAborted" ->
          failure(Kind.UNAVAILABLE, what, "it did not work this time", answer);
      default ->
          switch (status) {
            case 301, 307 -> wrongRegion(what, answer);
            case 401, 403 ->
                failure(
                    Kind.REFUSED,
                    what,
                    "permission denied: the user of these credentials needs s3:ListBucket on the"
                        + " bucket, and s3:PutObject, s3:GetObject, s3:DeleteObject and"
                        + " s3:AbortMultipartUpload on its objects",
                    answer);
            case 404 -> failure(Kind.MISSING, what, "there is no such object", answer);
            case 405, 501 ->
                failure(Kind.UNSUPPORTED, what, "the store does not implement this", answer);
            case 408, 409, 425, 429 -> failure(Kind.UNAVAILABLE, what, "the store is busy", answer);
            default ->
                status >= 500
                    ? failure(Kind.UNAVAILABLE, what, "the store has a fault or is full", answer)
                    : failure(Kind.REFUSED, what, "the store refuses it", answer);
          };
    };
  }

  private ObjectStoreException wrongRegion(String what, AwsServiceException answer) {
    String region =
        answer.awsErrorDetails() == null || answer.awsErrorDetails().sdkHttpResponse() == null
            ? null
            : answer
                .awsErrorDetails()
                .sdkHttpResponse()
                .firstMatchingHeader("x-amz-bucket-region")
                .orElse(null);
    return failure(
        Kind.REFUSED,
        what,
        "the bucket is in another region: set AWS_REGION" + (region == null ? "" : "=" + region),
        answer);
  }

  private ObjectStoreException notAnswered(String what, SdkException failure) {
    String text = String.valueOf(failure.getMessage());
    if (text.contains("Unable to load credentials")) {
      return failure(
          Kind.REFUSED,
          what,
          "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or"
              + " AWS_PROFILE",
          failure);
    }
    if (text.contains("Unable to load region")) {
      return failure(
          Kind.REFUSED, what, "no region is set: set AWS_REGION to the bucket's", failure);
    }
    String server = settings.endpoint() == null ? "S3" : settings.endpoint().toString();
    String advice =
        "check the network" + (settings.endpoint() == null ? "" : " and HUB_S3_ENDPOINT");
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      String reason =
          switch (cause) {
            case UnknownHostException host -> "unknown host " + host.getMessage();
            case ConnectException refused -> String.valueOf(refused.getMessage());
            case SSLException tls -> "TLS: " + tls.getMessage();
            case SocketTimeoutException _ -> "no answer in time";
            case ApiCallTimeoutException _ -> "no answer in time";
            case ApiCallAttemptTimeoutException _ -> "no answer in time";
            default -> null;
          };
      if (reason != null) {
        return failure(
            Kind.UNAVAILABLE,
            what,
            server + " cannot be reached (" + reason + "): " + advice,
            failure);
      }
    }
    return failure(
        Kind.UNAVAILABLE, what, "the exchange with " + server + " failed (" + text + ")", failure);
  }

  private ObjectStoreException failure(
      Kind kind, String what, String advice, SdkException failure) {
    return new ObjectStoreException(
        kind, settings.url() + ": " + what + ": " + advice + answer(failure), failure);
  }

  private static String answer(SdkException failure) {
    if (!(failure instanceof AwsServiceException answer)) {
      return "";
    }
    @Nullable AwsErrorDetails details = answer.awsErrorDetails();
    String message = details == null ? null : details.errorMessage();
    String id = answer.requestId();
    return " (status "
        + answer.statusCode()
        + (code(answer).isEmpty() ? "" : ", " + code(answer))
        + (message == null || message.isEmpty() ? "" : ", " + message)
        + (id == null ? "" : ", request " + id)
        + ")";
  }
}
