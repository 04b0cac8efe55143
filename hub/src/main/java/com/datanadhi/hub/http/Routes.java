package com.datanadhi.hub.http;

import com.datanadhi.hub.query.Pages;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The table of all routes. `docs/hub/openapi.yaml` lists the same, which a test checks.
final class Routes {
  private static final int PAGE_SHARES = 16;

  private final List<Route> all;

  Routes(DoorSettings settings) {
    ReadHandlers read = new ReadHandlers();
    StateHandlers state = new StateHandlers();
    Pages pages = new Pages(PAGE_SHARES);
    this.all =
        List.of(
            get("/", false, state::probe),
            post("/log", new LogHandler()),
            post("/upload", new UploadHandler()),
            post("/v1/transactions", new TransactionHandler()),
            new Route("POST", "/v1/logs", false, new OtlpLogsHandler(), OtlpLogsHandler::problem),
            get("/v1/records", false, new RecordsHandler(settings.maxReaders(), pages)),
            get("/v1/receipts/{key}", false, read::receipt),
            get("/v1/sources", false, read::sources),
            get("/v1/pipelines/{pipeline}/records", false, new PipelineHandler(pages)),
            post("/v1/pipelines/{pipeline}/cursors/{consumer}", new CursorHandler()),
            get("/health", true, state::health),
            get("/livez", true, state::live),
            get("/readyz", false, state::ready),
            get("/metrics", true, state::metrics));
  }

  /// All routes, as `GET /v1/records`.
  List<String> names() {
    return all.stream().map(route -> route.method() + " " + route.template()).toList();
  }

  /// What a request meets.
  sealed interface Match {}

  /// @param parameters percent-encoded
  record Found(Route route, List<String> parameters) implements Match {}

  /// There is such a path, but not with this method.
  ///
  /// @param allowed methods, for `Allow`
  record WrongMethod(Set<String> allowed) implements Match {}

  record NoSuchPath() implements Match {}

  Match find(String method, @Nullable String path) {
    List<String> segments = Route.segments(path == null || path.isEmpty() ? "/" : path);
    String asked = method.equals("HEAD") ? "GET" : method;
    Set<String> allowed = new LinkedHashSet<>();
    for (Route route : all) {
      List<String> parameters = route.match(segments);
      if (parameters == null) {
        continue;
      }
      if (route.method().equals(asked)) {
        return new Found(route, parameters);
      }
      allowed.add(route.method());
      if (route.method().equals("GET")) {
        allowed.add("HEAD");
      }
    }
    return allowed.isEmpty() ? new NoSuchPath() : new WrongMethod(allowed);
  }

  private static Route get(String template, boolean whileStopping, RouteHandler handler) {
    return new Route("GET", template, whileStopping, handler, ProblemForm.JSON);
  }

  private static Route post(String template, RouteHandler handler) {
    return new Route("POST", template, false, handler, ProblemForm.JSON);
  }
}
