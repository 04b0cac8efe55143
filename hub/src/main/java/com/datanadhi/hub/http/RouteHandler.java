package com.datanadhi.hub.http;

import com.datanadhi.hub.control.ControlUnavailableException;
import com.datanadhi.hub.view.ViewException;
import java.io.IOException;

/// Answers the requests of one route. Runs on a virtual thread and may block.
@FunctionalInterface
interface RouteHandler {
  void handle(Exchange exchange)
      throws ProblemException,
          ViewException,
          ControlUnavailableException,
          IOException,
          InterruptedException;
}
