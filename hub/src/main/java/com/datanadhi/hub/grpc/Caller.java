package com.datanadhi.hub.grpc;

import com.datanadhi.hub.control.ApiKeys;
import com.datanadhi.hub.intake.Admission;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Who makes a call. Long calls ask again, because a key can be revoked.
///
/// @param idempotencyKey of the metadata, or null
record Caller(ApiKeys keys, String apiKey, String tenant, @Nullable String idempotencyKey) {
  private static final Context.Key<Caller> CURRENT = Context.key("hub-caller");
  private static final Metadata.Key<String> AUTHORIZATION = key("authorization");
  private static final List<Metadata.Key<String>> NAMES =
      List.of(key("datanadhi-api-key"), key("datanadhi_api_key"), key("x-datanadhi-api-key"));
  private static final Metadata.Key<String> IDEMPOTENCY_KEY = key("idempotency-key");
  private static final String BEARER = "bearer ";
  private static final Duration RETRY = Duration.ofSeconds(1);

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  /// The caller of the call that is being handled.
  static Caller current() {
    return CURRENT.get();
  }

  /// Checks that the API key is still valid.
  ///
  /// @throws StatusException it is not, or it cannot be told now
  void check() throws StatusException {
    tenant(keys, apiKey);
  }

  private static String tenant(ApiKeys keys, @Nullable String apiKey) throws StatusException {
    return switch (keys.identify(apiKey)) {
      case ApiKeys.Known known -> known.tenant();
      case ApiKeys.Unknown unknown ->
          throw Status.UNAUTHENTICATED.withDescription(unknown.detail()).asException();
      case ApiKeys.NotReady _ -> throw Statuses.unavailable("the hub is starting", RETRY);
    };
  }

  /// Lets calls with a valid API key through; all others end with a status.
  static final class Check implements ServerInterceptor {
    private final ApiKeys keys;
    private final Admission admission;
    private final Stopping stopping;
    private final ConnectionBound connections;

    Check(ApiKeys keys, Admission admission, Stopping stopping, ConnectionBound connections) {
      this.keys = keys;
      this.admission = admission;
      this.stopping = stopping;
      this.connections = connections;
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      String apiKey = apiKey(headers);
      try {
        stopping.check();
        String tenant = tenant(keys, apiKey);
        // Only a key that was sent is ever known.
        Caller caller =
            new Caller(keys, apiKey == null ? "" : apiKey, tenant, headers.get(IDEMPOTENCY_KEY));
        Arrival arrival = Arrival.current();
        arrival.whenClosed(connections.callBegins(call.getAttributes()));
        return Contexts.interceptCall(
            Context.current().withValue(CURRENT, caller),
            arrival.watch(call, tenant, admission),
            headers,
            next);
      } catch (StatusException refused) {
        Metadata trailers = refused.getTrailers();
        call.close(refused.getStatus(), trailers == null ? new Metadata() : trailers);
        return new ServerCall.Listener<>() {};
      }
    }

    private static @Nullable String apiKey(Metadata headers) {
      for (Metadata.Key<String> name : NAMES) {
        String value = headers.get(name);
        if (value != null) {
          return value;
        }
      }
      String value = headers.get(AUTHORIZATION);
      return value != null && value.regionMatches(true, 0, BEARER, 0, BEARER.length())
          ? value.substring(BEARER.length()).strip()
          : null;
    }
  }
}
