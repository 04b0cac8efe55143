package com.datanadhi.sdk.testkit;

import ch.qos.logback.classic.LoggerContext;
import com.datanadhi.sdk.DataNadhi;
import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.slf4j.LoggerFactory;

/**
 * A web application with Logback and the SDK inside. A request logs an event and submits a record.
 */
public final class WebApplication extends HttpServlet implements ServletContextListener {
  private static final long serialVersionUID = 1;

  private static DataNadhi client() {
    return DataNadhi.shared(Path.of(System.getProperty("web.directory")));
  }

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response) {
    LoggerFactory.getLogger("shop").info("logged");
    if (!client().submit(List.of("orders"), Map.of("message", "submitted")).isAccepted()) {
      response.setStatus(500);
    }
  }

  @Override
  public void contextDestroyed(ServletContextEvent event) {
    client().close();
    LoggerFactory.getLogger("shop").info("last");
    ((LoggerContext) LoggerFactory.getILoggerFactory()).stop();
  }
}
