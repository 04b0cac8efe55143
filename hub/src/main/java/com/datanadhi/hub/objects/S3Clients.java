package com.datanadhi.hub.objects;

import java.util.Locale;
import java.util.logging.Level;
import java.util.logging.Logger;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;

/// Makes clients of the AWS SDK. They cost tens of megabytes and half a second, so they are made
/// only when S3 is used.
final class S3Clients {
  /// Held, since a logger that nobody holds forgets its level.
  private static final Logger SDK = Logger.getLogger("software.amazon.awssdk");

  static final int MAX_ATTEMPTS = 3;

  private S3Clients() {}

  static S3Client create(S3Settings settings) {
    SDK.setLevel(Level.WARNING);
    S3ClientBuilder builder =
        S3Client.builder()
            .httpClientBuilder(
                UrlConnectionHttpClient.builder()
                    .connectionTimeout(settings.timeouts().connect())
                    .socketTimeout(settings.timeouts().silence()))
            .credentialsProvider(credentials(settings))
            .forcePathStyle(settings.pathStyle())
            .overrideConfiguration(override ->
                override.retryStrategy(
                    AwsRetryStrategy.standardRetryStrategy().toBuilder()
                        .maxAttempts(MAX_ATTEMPTS)
                        .build()));
    String region = settings.variable("AWS_REGION");
    if (region == null) {
      region = settings.variable("AWS_DEFAULT_REGION");
    }
    if (region == null && settings.endpoint() != null) {
      // Servers other than AWS's have a region only in name, and mostly this one.
      region = "us-east-1";
    }
    if (region != null) {
      builder.region(Region.of(region));
    }
    if (settings.endpoint() != null) {
      builder.endpointOverride(settings.endpoint());
    }
    String calculation = settings.variable("AWS_REQUEST_CHECKSUM_CALCULATION");
    if (calculation != null) {
      builder.requestChecksumCalculation(
          RequestChecksumCalculation.valueOf(calculation.toUpperCase(Locale.ROOT)));
    }
    String validation = settings.variable("AWS_RESPONSE_CHECKSUM_VALIDATION");
    if (validation != null) {
      builder.responseChecksumValidation(
          ResponseChecksumValidation.valueOf(validation.toUpperCase(Locale.ROOT)));
    }
    return builder.build();
  }

  private static AwsCredentialsProvider credentials(S3Settings settings) {
    String id = settings.variable("AWS_ACCESS_KEY_ID");
    String secret = settings.variable("AWS_SECRET_ACCESS_KEY");
    if (id == null || secret == null) {
      // Profiles, containers and instances: the SDK reads their variables itself.
      return DefaultCredentialsProvider.builder().build();
    }
    String session = settings.variable("AWS_SESSION_TOKEN");
    AwsCredentials credentials =
        session == null
            ? AwsBasicCredentials.create(id, secret)
            : AwsSessionCredentials.create(id, secret, session);
    return StaticCredentialsProvider.create(credentials);
  }
}
