import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;

/** Sends the lines of a file at a steady pace, whether or not the ones before are answered, and counts. */
final class Delivery {
  private static final long NOTICEABLE = TimeUnit.MILLISECONDS.toNanos(50);

  private Delivery() {}

  /** `send` takes an idempotency key and an order, and promises a status. Prints one line of JSON. */
  static void run(String[] arguments, BiFunction<String, String, CompletableFuture<Integer>> send) throws Exception {
    List<String> lines = Files.readAllLines(Path.of(arguments[1]));
    int count = Integer.parseInt(arguments[2]);
    long pause = TimeUnit.SECONDS.toNanos(1) / Integer.parseInt(arguments[3]);
    AtomicInteger errors = new AtomicInteger();
    AtomicInteger waited = new AtomicInteger();
    AtomicLong longest = new AtomicLong();
    List<CompletableFuture<?>> deliveries = new ArrayList<>();
    // The first one is answered before the others go: then the virtual machine has loaded what they need.
    if (send.apply("order-0", lines.get(0)).join() != 201) throw new IllegalStateException("the first order was refused");
    long began = System.nanoTime();
    for (int index = 1; index < count; index++) {
      TimeUnit.NANOSECONDS.sleep(began + index * pause - System.nanoTime());
      long sent = System.nanoTime();
      deliveries.add(send.apply("order-" + index, lines.get(index % lines.size())).handle((status, failure) -> {
        long took = System.nanoTime() - sent;
        longest.accumulateAndGet(took, Math::max);
        if (took > NOTICEABLE) waited.incrementAndGet();
        if (failure != null || status != 201) {
          errors.incrementAndGet();
          System.err.println(failure == null ? "status " + status : failure.toString());
        }
        return null;
      }));
    }
    CompletableFuture.allOf(deliveries.toArray(new CompletableFuture<?>[0])).join();
    System.out.printf("{\"errors\": %d, \"waited\": %d, \"longestWait\": %d}%n",
        errors.get(), waited.get(), TimeUnit.NANOSECONDS.toMillis(longest.get()));
  }
}
