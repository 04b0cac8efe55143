package com.datanadhi.hub.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.control.ApiKeys;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpHeaderValue;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/// One request and its answer. Used by the thread of the request only.
final class Exchange {
  private final Request request;
  private final Response response;
  private final Callback callback;
  private final Services services;
  private final DoorSettings settings;
  private final Connections.State connection;
  private final BooleanSupplier stopping;
  private List<String> parameters = List.of();
  private ProblemForm problems = ProblemForm.JSON;
  private boolean answered;
  private boolean bodyRead;

  Exchange(
      Request request,
      Response response,
      Callback callback,
      Services services,
      DoorSettings settings,
      Connections.State connection,
      BooleanSupplier stopping) {
    this.request = request;
    this.response = response;
    this.callback = callback;
    this.services = services;
    this.settings = settings;
    this.connection = connection;
    this.stopping = stopping;
  }

  Request request() {
    return request;
  }

  Services services() {
    return services;
  }

  DoorSettings settings() {
    return settings;
  }

  Connections.State connection() {
    return connection;
  }

  boolean isBodyRead() {
    return bodyRead;
  }

  void markBodyRead() {
    bodyRead = true;
  }

  boolean isStopping() {
    return stopping.getAsBoolean();
  }

  long nanoTime() {
    return connection.nanoTime();
  }

  boolean isHead() {
    return request.getMethod().equals("HEAD");
  }

  void setParameters(List<String> parameters) {
    this.parameters = parameters;
  }

  void setProblemForm(ProblemForm form) {
    problems = form;
  }

  /// A parameter of the path, decoded.
  String parameter(int index, String name) throws ProblemException {
    try {
      return PercentDecoder.decode(parameters.get(index), false);
    } catch (CharacterCodingException e) {
      throw new ProblemException(
          Problem.badRequest(
              "The %s in the path is not percent-encoded UTF-8. Encode it.".formatted(name)));
    }
  }

  QueryParameters query(String... known) throws ProblemException {
    return QueryParameters.parse(request.getHttpURI().getQuery(), List.of(known));
  }

  @Nullable String header(String name) {
    return request.getHeaders().get(name);
  }

  /// The values of all headers of that name, split at commas.
  List<String> headers(String name) {
    return request.getHeaders().getCSV(name, true);
  }

  /// The values of all headers of that name as they are.
  List<String> headerLines(String name) {
    return request.getHeaders().getValuesList(name);
  }

  /// The tenant whose API key the request has.
  String tenant() throws ProblemException {
    return switch (services.apiKeys().identify(ApiKeyHeaders.find(request.getHeaders()))) {
      case ApiKeys.Known known -> {
        connection.isOfKnownSender();
        yield known.tenant();
      }
      case ApiKeys.Unknown unknown ->
          throw ApiKeyHeaders.unauthorized(Problem.sentence(unknown.detail()));
      case ApiKeys.NotReady _ ->
          throw new ProblemException(
              Problem.unavailable("The hub has not read its API keys yet. Send it again later."));
    };
  }

  /// Judges the head before anything of the body is read.
  ///
  /// @param types the content types that the route takes
  /// @return the one that was sent
  String accept(int bodyLimit, String... types) throws ProblemException {
    if (request.getLength() > bodyLimit) {
      throw Body.tooLarge(bodyLimit);
    }
    String sent = header("Content-Type");
    String type = sent == null ? "" : sent.toLowerCase(Locale.ROOT);
    int parameter = type.indexOf(';');
    String media = (parameter < 0 ? type : type.substring(0, parameter)).strip();
    boolean otherCharset =
        parameter >= 0
            && type.substring(parameter).contains("charset")
            && !type.substring(parameter)
                .replaceAll("[\\s\"]", "")
                .matches("(;[^;]*)*;charset=(utf-8|us-ascii)(;.*)?");
    if (!List.of(types).contains(media) || otherCharset) {
      throw new ProblemException(
          Problem.unsupported(
              "Content-Type is %s. Send %s%s."
                  .formatted(
                      sent == null ? "missing" : sent,
                      String.join(" or ", types),
                      otherCharset ? ", in UTF-8" : "")));
    }
    List<String> encodings = headers("Content-Encoding");
    if (!encodings.isEmpty() && !isGzip() && !isIdentity(encodings)) {
      throw new ProblemException(
          Problem.unsupported(
              "Content-Encoding is %s. Send gzip, or no such header."
                  .formatted(String.join(", ", encodings))));
    }
    return media;
  }

  private static boolean isIdentity(List<String> encodings) {
    return encodings.size() == 1 && encodings.getFirst().strip().equalsIgnoreCase("identity");
  }

  /// Whether the body is packed.
  boolean isGzip() {
    List<String> encodings = headers("Content-Encoding");
    if (encodings.size() != 1) {
      return false;
    }
    String encoding = encodings.getFirst().strip();
    return encoding.equalsIgnoreCase("gzip") || encoding.equalsIgnoreCase("x-gzip");
  }

  void setHeader(String name, String value) {
    response.getHeaders().put(name, value);
  }

  void closeAfterwards() {
    response.getHeaders().put(HttpHeader.CONNECTION, HttpHeaderValue.CLOSE.asString());
  }

  boolean isCommitted() {
    return answered || response.isCommitted();
  }

  int status() {
    return response.getStatus();
  }

  void json(int status, byte[] body) {
    answer(status, "application/json", body);
  }

  void problem(Problem problem) {
    if (problem.status() == 503) {
      setHeader("Retry-After", Long.toString(problem.retryAfterSeconds()));
    }
    if (problem.status() == 401) {
      setHeader("WWW-Authenticate", "Bearer");
    }
    problems.answer(this, problem);
  }

  /// Answers, and ends the exchange when the answer is sent.
  void answer(int status, String contentType, byte[] body) {
    answered = true;
    response.setStatus(status);
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, contentType);
    response.write(true, ByteBuffer.wrap(body), callback);
  }

  /// Answers without a body, and ends the exchange.
  void end() {
    answered = true;
    callback.succeeded();
  }

  void begin(int status, String contentType) {
    response.setStatus(status);
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, contentType);
  }

  /// Writes a part of the answer, and waits until the reader has taken it.
  ///
  /// @throws IOException the connection is lost, or the reader is too slow
  void write(boolean last, byte[] bytes) throws IOException, InterruptedException {
    write(last, ByteBuffer.wrap(bytes));
  }

  /// The same with a buffer, which may be used again afterwards.
  void write(boolean last, ByteBuffer bytes) throws IOException, InterruptedException {
    Semaphore written = new Semaphore(0);
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    response.write(
        last,
        bytes,
        new Callback() {
          @Override
          public void succeeded() {
            written.release();
          }

          @Override
          public void failed(Throwable cause) {
            failure.set(cause);
            written.release();
          }

          @Override
          public InvocationType getInvocationType() {
            return InvocationType.NON_BLOCKING;
          }
        });
    if (!written.tryAcquire(settings.idle().toMillis(), TimeUnit.MILLISECONDS)) {
      // The idle time-out does not end a reader that takes a byte now and then.
      request.getConnectionMetaData().getConnection().getEndPoint().close();
      written.acquire();
    }
    Throwable cause = failure.get();
    if (cause != null) {
      throw cause instanceof IOException lost ? lost : new IOException(cause);
    }
  }

  /// Ends an answer that cannot go on: the connection is cut, so that the reader does not take what
  /// it has for the whole.
  void abort(Throwable cause) {
    answered = true;
    callback.failed(cause);
  }

  static byte[] utf8(String text) {
    return text.getBytes(UTF_8);
  }
}
