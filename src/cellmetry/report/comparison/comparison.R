
# ---- Tables -------------------------------------------------------------------------------------------------------

script <- sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))
if (length(script) == 1) setwd(dirname(normalizePath(script)))

if (!requireNamespace("ggplot2", quietly = TRUE)) {
  stop("The figures need the package ggplot2; install it with: install.packages(\"ggplot2\")")
}
library(ggplot2)
options(contrasts = c("contr.treatment", "contr.poly"))

# Text that a spreadsheet would take for a formula has a ' before it in the tables.
stored <- function(x) ifelse(grepl("^'*[-=+@\t\r]", x), paste0("'", x), x)
plain <- function(x) sub("^'('*[-=+@\t\r])", "\\1", x)

read_table <- function(path, text) {
  kinds <- rep("character", length(text))
  names(kinds) <- stored(text)
  table <- read.csv(path, check.names = FALSE, na.strings = "", encoding = "UTF-8", colClasses = kinds)
  names(table) <- plain(names(table))
  absent <- setdiff(text, names(table))
  if (length(absent) > 0) stop(path, " has no column ", absent[1])
  for (name in text) table[[name]] <- plain(table[[name]])
  table
}

as_numbers <- function(x) as.numeric(ifelse(x == "True", "1", ifelse(x == "False", "0", x)))

complete <- function(table) {
  table$condition <- factor(table$condition, levels = settings$conditions)
  table$replicate <- factor(table$replicate, levels = unique(table$replicate))
  kept <- is.finite(table$value) & !is.na(table$condition) & !is.na(table$replicate)
  if (!any(kept)) stop("No row has a value, a condition and a replicate.")
  droplevels(table[kept, c("condition", "replicate", "value")])
}

replicates <- read_table(settings$replicates_file, c("condition", "replicate", "value"))
replicates$value <- as_numbers(replicates$value)
replicates <- complete(replicates)

raw <- read_table(settings$cells_file, unique(c(settings$by, settings$replicate, settings$value, settings$total)))
cells <- data.frame(condition = raw[[settings$by]], replicate = raw[[settings$replicate]])
cells$value <- as_numbers(raw[[settings$value]])
if (!is.null(settings$total)) cells$value <- cells$value / as_numbers(raw[[settings$total]])
cells <- complete(cells)

# ---- Figures ------------------------------------------------------------------------------------------------------

# On a logarithmic scale means are geometric, and so are the ends of their intervals.
onto <- if (settings$log) log else identity
back <- if (settings$log) exp else identity

interval <- function(name) {
  x <- onto(replicates$value[replicates$condition == name])
  n <- length(x)
  half <- if (n > 1) qt((1 + settings$confidence) / 2, n - 1) * sd(x) / sqrt(n) else NA_real_
  data.frame(condition = name, mean = back(mean(x)), low = back(mean(x) - half), high = back(mean(x) + half))
}
groups <- do.call(rbind, lapply(levels(replicates$condition), interval))
groups$condition <- factor(groups$condition, levels = levels(replicates$condition))

every <- union(levels(cells$replicate), levels(replicates$replicate))
colours <- rep(settings$palette, length.out = length(every))
names(colours) <- every
set.seed(settings$seed)
drawn <- if (settings$log) cells[cells$value > 0, ] else cells
if (nrow(drawn) < nrow(cells)) message(nrow(cells) - nrow(drawn), " values of 0 or less are on no logarithmic axis.")
shown <- drawn[sample.int(nrow(drawn), min(nrow(drawn), settings$most_points)), ]

looks <- list(
  scale_x_discrete(labels = settings$condition_labels),
  if (settings$log) scale_y_log10(),
  labs(x = NULL, y = settings$value_label),
  theme_classic(base_size = settings$font_size_pt),
  theme(axis.text.x = element_text(angle = 30, hjust = 1))
)

superplot <- ggplot() +
  geom_jitter(
    data = shown, aes(x = condition, y = value, colour = replicate),
    width = 0.25, height = 0, size = 0.5, alpha = 0.4
  ) +
  geom_errorbar(data = groups, aes(x = condition, ymin = low, ymax = high), width = 0.15, na.rm = TRUE) +
  geom_errorbar(data = groups, aes(x = condition, ymin = mean, ymax = mean), width = 0.4) +
  geom_point(data = replicates, aes(x = condition, y = value, fill = replicate), shape = 21, size = 3) +
  scale_colour_manual(values = colours) +
  scale_fill_manual(values = colours) +
  labs(colour = settings$replicate_label, fill = settings$replicate_label) +
  looks

violin <- ggplot(drawn, aes(x = condition, y = value)) +
  geom_violin(fill = "grey85", colour = NA, scale = "width") +
  geom_boxplot(width = 0.15, outlier.shape = NA) +
  looks

# ggsave reads % as the start of a page's number, and %% as %.
output <- function(what) paste0(settings$outputs, what)
picture <- function(what, kind) gsub("%", "%%", output(paste0(what, kind)), fixed = TRUE)

for (kind in c("pdf", "png")) {
  size <- list(width = settings$width_mm, height = settings$height_mm, units = "mm", dpi = settings$dpi)
  do.call(ggsave, c(list(picture("r_superplot.", kind), superplot), size))
  do.call(ggsave, c(list(picture("r_violin.", kind), violin), size))
}

# ---- Comparison, at the level of replicates -----------------------------------------------------------------------

replicates$y <- onto(replicates$value)

# Linear model: one standard deviation for all conditions; where replicates are pairs they are blocks.
by_linear_model <- function(contrasts) {
  model <- if (settings$paired) y ~ condition + replicate else y ~ condition
  fit <- lm(model, data = replicates)
  if (anyNA(coef(fit))) stop("Conditions and replicates cannot be told apart in this design.")
  weights <- function(name) {
    place <- match(name, levels(replicates$condition))
    as.numeric(seq_along(coef(fit)) == place & place > 1)
  }
  rows <- lapply(seq_len(nrow(contrasts)), function(k) {
    weights(contrasts$condition[k]) - weights(contrasts$reference[k])
  })
  matrix <- do.call(rbind, rows)
  estimate <- drop(matrix %*% coef(fit))
  se <- sqrt(diag(matrix %*% vcov(fit) %*% t(matrix)))
  df <- df.residual(fit)
  half <- qt((1 + settings$confidence) / 2, df) * se
  contrasts$estimate <- estimate
  contrasts$ci_low <- estimate - half
  contrasts$ci_high <- estimate + half
  contrasts$p_value <- 2 * pt(-abs(estimate / se), df)
  contrasts$p_adjusted <- adjusted(contrasts$p_value, fit, matrix, estimate / se, df)
  contrasts
}

adjusted <- function(p, fit, matrix, t, df) {
  how <- settings$adjust
  if (length(p) == 1) return(p)
  if (how == "tukey") return(ptukey(abs(t) * sqrt(2), nlevels(replicates$condition), df, lower.tail = FALSE))
  if (how == "dunnett") {
    if (requireNamespace("multcomp", quietly = TRUE)) {
      return(as.numeric(summary(multcomp::glht(fit, linfct = matrix))$test$pvalues))
    }
    message("Dunnett's correction needs the package multcomp; Holm's is given in its place.")
    how <- "holm"
  }
  p.adjust(p, method = how)
}

# Two conditions at a time: Welch's t, or ranks (Wilcoxon, Mann and Whitney).
by_pairs <- function(contrasts, test) {
  for (k in seq_len(nrow(contrasts))) {
    first <- replicates[replicates$condition == contrasts$condition[k], ]
    second <- replicates[replicates$condition == contrasts$reference[k], ]
    if (settings$paired) {
      both <- merge(first, second, by = "replicate")
      found <- test(both$y.x, both$y.y, paired = TRUE)
    } else {
      found <- test(first$y, second$y, paired = FALSE)
    }
    contrasts$estimate[k] <- found[1]
    contrasts$ci_low[k] <- found[2]
    contrasts$ci_high[k] <- found[3]
    contrasts$p_value[k] <- found[4]
  }
  how <- if (settings$adjust %in% c("tukey", "dunnett")) "holm" else settings$adjust
  contrasts$p_adjusted <- p.adjust(contrasts$p_value, method = how)
  contrasts
}

welch <- function(x, y, paired) {
  found <- t.test(x, y, paired = paired, conf.level = settings$confidence)
  middle <- if (paired) mean(x - y) else mean(x) - mean(y)
  c(middle, found$conf.int[1], found$conf.int[2], found$p.value)
}

ranks <- function(x, y, paired) {
  found <- suppressWarnings(wilcox.test(x, y, paired = paired, conf.int = TRUE, conf.level = settings$confidence))
  c(found$estimate[[1]], found$conf.int[1], found$conf.int[2], found$p.value)
}

compare <- function(contrasts) {
  if (settings$method == "welch") return(by_pairs(contrasts, welch))
  if (settings$method == "rank") return(by_pairs(contrasts, ranks))
  by_linear_model(contrasts)
}

if (settings$estimation_only || nrow(contrasts) == 0) {
  message("There is nothing to test: no condition has a second replicate, or there is one condition.")
} else {
  found <- compare(contrasts)
  for (name in c("estimate", "ci_low", "ci_high")) found[[name]] <- back(found[[name]])
  print(found)
  write.csv(found, output("r_contrasts.csv"), row.names = FALSE, fileEncoding = "UTF-8")
}

# ---- Mixed model of cells, where that was asked for ---------------------------------------------------------------

if (settings$method %in% c("mixed", "gee") && !settings$estimation_only) {
  message("The table above is the linear model of replicates; Cellmetry's own is a model of cells.")
  if (!requireNamespace("lme4", quietly = TRUE)) {
    message("A mixed model needs the package lme4; install it with: install.packages(\"lme4\")")
  } else if (settings$kind == "fraction") {
    message("Of a fraction, fit lme4::glmer with family = binomial to your own counts.")
  } else {
    cells$y <- onto(cells$value)
    mixed <- lme4::lmer(y ~ condition + (1 | replicate) + (1 | replicate:condition), data = cells)
    print(summary(mixed))
    print(confint(mixed, method = "Wald", level = settings$confidence))
  }
}
