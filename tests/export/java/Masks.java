import ij.ImagePlus;
import ij.gui.Roi;
import ij.io.RoiDecoder;
import ij.process.ByteProcessor;
import ij.process.ImageProcessor;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** Reads a ROI zip as ImageJ's ROI manager does (which itself needs a screen), and writes, for each ROI, what ImageJ says
 *  of it, and which pixels it takes. Arguments: zip, width and height of the image, table to write, labels to write (16
 *  bits, big endian, numbered from 1). */
public class Masks {
    public static void main(String[] given) throws Exception {
        int width = Integer.parseInt(given[1]), height = Integer.parseInt(given[2]);
        short[] labels = new short[width * height];
        ImagePlus image = new ImagePlus("blank", new ByteProcessor(width, height));
        PrintStream table = new PrintStream(given[3], "UTF-8");
        table.println("name\ttype\tarea\tposition\tz\tt\tproperties");
        ZipInputStream zip = new ZipInputStream(new FileInputStream(given[0]));
        int number = 0;
        for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
            Roi roi = new RoiDecoder(zip.readAllBytes(), entry.getName()).getRoi();
            number++;
            image.setRoi(roi);
            table.println(roi.getName() + "\t" + roi.getTypeAsString() + "\t" + image.getStatistics().pixelCount
                + "\t" + roi.getPosition() + "\t" + roi.getZPosition() + "\t" + roi.getTPosition()
                + "\t" + String.valueOf(roi.getProperties()).replace("\n", "|"));
            ImageProcessor mask = roi.getMask();
            java.awt.Rectangle box = roi.getBounds();
            for (int y = Math.max(box.y, 0); y < Math.min(box.y + box.height, height); y++)
                for (int x = Math.max(box.x, 0); x < Math.min(box.x + box.width, width); x++)
                    if (mask == null || mask.get(x - box.x, y - box.y) != 0) labels[y * width + x] = (short) number;
        }
        table.close();
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(new FileOutputStream(given[4])));
        for (short value : labels) out.writeShort(value);
        out.close();
        System.exit(0);
    }
}
