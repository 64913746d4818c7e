import ij.plugin.filter.BackgroundSubtracter;
import ij.process.ByteProcessor;
import ij.process.FloatProcessor;
import ij.process.ImageProcessor;
import ij.process.ShortProcessor;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Lets ImageJ subtract backgrounds. Argument: a folder with a file "tasks", a line for each: name of the raw pixels
 *  (32-bit floats, big endian), width, height, bits (8, 16 or 32), radius, and four times 0 or 1: create the background,
 *  light, paraboloid, smooth. Writes NAME.out beside each, in the same form. */
public class Background {
    public static void main(String[] given) throws Exception {
        for (String line : Files.readAllLines(Path.of(given[0], "tasks"))) {
            String[] said = line.split(" ");
            int width = Integer.parseInt(said[1]), height = Integer.parseInt(said[2]);
            float[] pixels = new float[width * height];
            InputStream file = new BufferedInputStream(new FileInputStream(given[0] + "/" + said[0]));
            try (DataInputStream in = new DataInputStream(file)) {
                for (int i = 0; i < pixels.length; i++) pixels[i] = in.readFloat();
            }
            ImageProcessor plane = new FloatProcessor(width, height, pixels);
            if (said[3].equals("8")) plane = plane.convertToByte(false);
            if (said[3].equals("16")) plane = plane.convertToShort(false);
            boolean[] set = new boolean[4];
            for (int i = 0; i < 4; i++) set[i] = said[5 + i].equals("1");
            new BackgroundSubtracter().rollingBallBackground(
                plane, Double.parseDouble(said[4]), set[0], set[1], set[2], set[3], true);
            OutputStream made = new BufferedOutputStream(new FileOutputStream(given[0] + "/" + said[0] + ".out"));
            try (DataOutputStream out = new DataOutputStream(made)) {
                for (int i = 0; i < pixels.length; i++) out.writeFloat(plane.getf(i));
            }
        }
        System.exit(0);
    }
}
