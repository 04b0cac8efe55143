package com.example.shop;

import jakarta.annotation.PreDestroy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class OrderController {
  private static final Logger logger = LoggerFactory.getLogger(OrderController.class);

  @GetMapping("/orders/{id}")
  public String order(@PathVariable("id") long id) {
    logger.atInfo().addKeyValue("order", id).log("order {} was read", id);
    return "order " + id + "\n";
  }

  @PreDestroy
  void close() {
    logger.info("the shop is closing");
  }
}
